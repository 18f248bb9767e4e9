"""The project of tests/settings.py as a site that a browser opens, under the strictest policy it bears."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE

ALLOWED_HOSTS = ["127.0.0.1"]
DATABASE_ROUTERS: list[str] = []
MIDDLEWARE = ["tests.browser.policy.strict", *MIDDLEWARE]
