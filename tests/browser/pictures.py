"""`python -m tests.browser.pictures`: the docs' pictures of the admin, from the example project at work."""

from __future__ import annotations

import io
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import chromium
from tests.pages import ROOT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
django.setup()
# They import the example's models.
from tests.example.guide import Guide  # noqa: E402
from tests.example.test_serve import told_by  # noqa: E402

PLACE = ROOT / "docs" / "images"
ENOUGH_JOBS = 15
PATIENCE = 240
WIDE, NARROW = {"width": 1280, "height": 600}, {"width": 390, "height": 844}


def main() -> None:
    """Serve the guide until it has something to show, and take the pictures."""
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        guide = Guide(Path(home))
        serving = guide.manage("serve", "--port", "0", "--every", "1.2")
        try:
            told = told_by(serving)
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            _wait_for_something_to_show(guide)
            _take(browser, told)
            browser.close()
        finally:
            serving.send_signal(signal.SIGINT)
            serving.communicate(timeout=60)


def _wait_for_something_to_show(guide: Guide) -> None:
    deadline = time.monotonic() + PATIENCE
    while guide.count("django_jobs_job WHERE status = 'completed'") < ENOUGH_JOBS or not _dead(guide):
        assert time.monotonic() < deadline
        time.sleep(1)


def _dead(guide: Guide) -> int:
    return guide.count("django_jobs_job WHERE status = 'dead' AND function LIKE '%make_thumbnail'")


def _take(browser: Browser, told: dict[str, str]) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(told["url"])
    page.get_by_label("Username").fill(told["user"])
    page.get_by_label("Password").fill(told["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    _shoot(page, f"{told['url']}django_jobs/job/", "admin-jobs.png", color_scheme="light")
    page.goto(f"{told['url']}django_jobs/job/?status=dead&q=make_thumbnail")
    url = page.locator(".field-job a").first.evaluate("link => link.href")
    _shoot(page, url, "admin-dead-job.png", color_scheme="dark")
    page.set_viewport_size(NARROW)
    _shoot(page, url, "admin-narrow.png", color_scheme="light")


def _shoot(page: Page, url: str, name: str, **media: Any) -> None:
    page.emulate_media(**media)
    page.goto(url)
    taken = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    # A palette has a third of the bytes; by coverage, so that also the few red dots stay red.
    taken.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(PLACE / name, optimize=True)


if __name__ == "__main__":
    main()
