"""Every page in a browser: nothing cut off, nothing blocked, nothing that some people cannot read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Site
from tests.browser.names import LISTS, ROWS, SCHEMES, WIDTHS

pytestmark = pytest.mark.timeout(240)
PAGES = sorted([*LISTS, *ROWS])
# What must be confirmed: the page it is asked for on, and the button.
ASKED = {"Cancel by force": "running job", "Purge": "queue"}
# Wider than the window is cut off, or has to be scrolled for.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Of the rest of the page Django takes care, and of the label of its search.
OURS = {"include": [["#content"]], "exclude": [["#searchbar"]]}
# What is to be seen once; in the other scheme it is the colours that differ.
RULES: dict[str, dict[str, Any]] = {
    # It must not load style sheets once more by itself, which the site's policy forbids.
    "light": {"resultTypes": ["violations"], "preload": False},
    "dark": {"resultTypes": ["violations"], "preload": False, "runOnly": ["color-contrast"]},
}


@pytest.fixture(scope="package")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the screenshots go: SCREENSHOTS, for whoever wants to look at them."""
    given = os.environ.get("SCREENSHOTS")
    return Path(given) if given else tmp_path_factory.mktemp("screenshots")


def address(site: Site, name: str) -> str:
    """Return where a page is, below the admin."""
    return f"{site.admin}django_jobs/{LISTS.get(name) or site.pages[name]}"


def assert_good(page: Any, picture: Path) -> None:
    """Look at an open page in each size and scheme."""
    axe = Axe()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(OVERFLOW) <= 0, f"{picture.name} is wider than {width} pixels"
            file = picture.with_name(f"{picture.name}-{width}-{scheme}.png")
            # Also ends the transitions from one scheme to the other, whose colours nobody reads.
            page.screenshot(path=file, full_page=True, animations="disabled")
        found = axe.run(page, context=OURS, options=RULES[scheme])
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_everybody(page: Any, site: Site, pictures: Path, name: str) -> None:
    response = page.goto(address(site, name))
    assert response.status == 200
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert_good(page, pictures / name.replace(" ", "-"))


@pytest.mark.parametrize("button", sorted(ASKED))
def test_what_destroys_asks_on_a_page_that_everybody_can_read(
    page: Any, site: Site, pictures: Path, button: str
) -> None:
    page.goto(address(site, ASKED[button]))
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_role("heading", name=f"{button}?").wait_for()
    assert_good(page, pictures / f"asked-{button.replace(' ', '-').lower()}")
