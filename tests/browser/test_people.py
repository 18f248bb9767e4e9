"""The pages without a mouse, and for whoever hears them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import Site

pytestmark = pytest.mark.timeout(240)
# What the keyboard has come to: its name for whoever hears it, and whether it is on our part of the page.
FOCUSED = """() => {
    const at = document.activeElement;
    return [at.textContent.trim().replace(/\\s+/g, " "), at.tagName, Boolean(at.closest("#content"))];
}"""
TIMES_OUTSIDE = """() => {
    const walker = document.createTreeWalker(document.querySelector("#content"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode;
        const moment = /\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d/.test(node.data);
        if (moment && !node.parentElement.closest("time, pre")) {
            found.push(node.data);
        }
    }
    return found;
}"""


def stops(page: Any) -> list[str]:
    """Return the words and the kinds of what Tab comes to on our part of the page, in its order."""
    found: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        words, tag, ours = page.evaluate(FOCUSED)
        if ours:
            found.append(f"{tag} {words[:30]}".strip())
        elif found:
            return found
    raise AssertionError(f"Tab does not leave the page: {found}")


def test_tab_comes_to_everything_on_a_job_s_page_in_its_order(page: Any, site: Site) -> None:
    page.goto(f"django_jobs/{site.pages['dead job']}")
    found = stops(page)
    # A text that scrolls is scrolled by the keyboard: it is a stop too.
    expected = ["A History", "BUTTON Requeue", "BUTTON Replay", "PRE PIL.Unid", "SUMMARY Traceback",
                "SUMMARY Log", "SUMMARY Traceback", "SUMMARY Traceback", "A All attempts"]  # fmt: skip
    reached = [next((each for each in expected if stop.startswith(each)), None) for stop in found]
    assert [each for each in reached if each] == expected


def test_a_job_is_requeued_by_the_keyboard_alone(page: Any, site: Site) -> None:
    page.goto(f"django_jobs/{site.pages['cancelled job']}")
    button = page.get_by_role("button", name="Requeue")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("1 requeued.").wait_for()
    page.locator(".jobs-ready").wait_for()
    assert page.get_by_role("button", name="Requeue").count() == 0


def test_a_traceback_is_opened_by_the_keyboard(page: Any, site: Site) -> None:
    page.goto(f"django_jobs/{site.pages['dead job']}")
    summary = page.get_by_role("article", name="Attempt 1.3").get_by_text("Traceback", exact=True)
    block = page.get_by_role("article", name="Attempt 1.3").get_by_text("most recent call last")
    assert not block.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert block.is_visible()


def test_buttons_say_what_they_do(page: Any, site: Site) -> None:
    page.goto(f"django_jobs/{site.pages['running job']}")
    form = page.get_by_role("form", name="Actions")
    for button in form.get_by_role("button").all():
        hint = page.locator(f"#{button.get_attribute('aria-describedby')}")
        assert hint.inner_text().endswith(".")
    assert form.get_by_role("button").count() == 2


@pytest.mark.parametrize("width", [1280, 390])
def test_a_list_is_a_table_with_named_columns_in_every_size(page: Any, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("django_jobs/job/?status=dead")
    for name in ("Job", "Status", "Queue", "Due or ended"):
        assert page.get_by_role("columnheader", name=name, exact=True).count() == 1
    row = page.get_by_role("row").filter(has_text="make_thumbnail")
    assert row.get_by_role("cell").count() == 5
    assert row.get_by_role("checkbox").is_visible()


@pytest.mark.parametrize("name", ["dead job", "running job", "error", "worker"])
def test_every_moment_can_be_read_by_programs(page: Any, site: Site, name: str) -> None:
    page.goto(f"django_jobs/{site.pages[name]}")
    assert page.evaluate(TIMES_OUTSIDE) == []
    moments = page.locator("#content time").all()
    assert moments
    assert all(
        re.match(r"\d{4}-\d\d-\d\dT.*[+-]\d\d:\d\d$", each.get_attribute("datetime")) for each in moments
    )
