"""A site full of jobs, a browser, and somebody who is logged in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.names import PASSWORD, USER
from tests.missing import missing

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# The first start of a browser reads hundreds of megabytes.
PATIENCE = 60_000


@dataclass(frozen=True)
class Site:
    """Where the admin is, and the addresses of the pages about single rows."""

    admin: str
    pages: dict[str, str]


def chromium() -> str:
    """Return the browser's path."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or missing("needs a browser: apt install chromium")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the site from a process of its own: the browser's loop in this one forbids Django's queries."""
    place = tmp_path_factory.mktemp("site")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "TEST_DATABASE": "sqlite",
        "TEST_DATABASE_NAME": str(place / "site.sqlite3"),
    }
    command = [sys.executable, "-m", "tests.browser.site"]
    with (place / "log").open("w+") as log:
        # It ends with its standard input, so also when this process is killed.
        serving = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        said = serving.stdout.readline() if serving.stdout else ""
        try:
            assert said, (place / "log").read_text()
            told = json.loads(said)
            yield Site(f"{told['url']}/admin/", told["pages"])
        finally:
            serving.communicate(timeout=30)
    assert "Traceback" not in (place / "log").read_text()


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Start Debian's chromium, never one that is downloaded."""
    # No longer than for the tests in this folder: its event loop runs in the thread of all tests.
    program = chromium()
    with sync_playwright() as running:
        # Root may not have its sandbox; it opens our own pages only.
        started = running.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=PATIENCE)
        yield started
        started.close()


@pytest.fixture(scope="package")
def session(browser: Any, site: Site) -> Iterator[Any]:
    """Log in once, by hand."""
    context = browser.new_context(base_url=site.admin)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("login/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(session: Any) -> Iterator[Any]:
    """Open a tab; whatever its console says is a fault."""
    opened = session.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    yield opened
    opened.close()
    # A policy's violation is an error on the console.
    assert said == []
