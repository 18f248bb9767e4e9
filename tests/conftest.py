"""What every room's tests share."""

from __future__ import annotations

import gc
import os

import pytest
from django.db import connection
from django.test import TransactionTestCase

TEST_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "live_server",
    "admin_client",
    "admin_user",
    "django_user_model",
}


# Collecting makes many objects and no garbage: without its collector the first test begins sooner.
gc.disable()


def pytest_collection_finish() -> None:
    """Turn the garbage collector on again before the first test."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark for tests of one vendor's engine."""
    config.addinivalue_line("markers", "only_on(*databases): the only databases this test is about")


def uses_database(item: pytest.Item) -> bool:
    """Return whether a test touches the database, by mark, fixture or base class."""
    return bool(
        item.get_closest_marker("django_db")
        or DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not about this database or would be the same on every one."""
    chosen = [item for item in items if _belongs_here(item)]
    left_out = set(items).difference(chosen)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = chosen


def _belongs_here(item: pytest.Item) -> bool:
    vendor = item.get_closest_marker("only_on")
    if vendor is not None:
        return TEST_DATABASE in vendor.args
    return TEST_DATABASE == "sqlite" or uses_database(item)


@pytest.fixture
def subprocess_environment(transactional_db: None) -> dict[str, str]:
    """Return an environment in which `tests.settings` means the database of this very test."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": TEST_DATABASE,
        "TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
    }
