"""What every room's tests share."""

from __future__ import annotations

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


def uses_database(item: pytest.Item) -> bool:
    """Return whether a test touches the database, by mark, fixture or base class."""
    return bool(
        item.get_closest_marker("django_db")
        or DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on any database but the first, what would only be the same again."""
    if TEST_DATABASE == "sqlite":
        return
    again = [item for item in items if not uses_database(item)]
    items[:] = [item for item in items if uses_database(item)]
    config.hook.pytest_deselected(items=again)


@pytest.fixture
def subprocess_environment(transactional_db: None) -> dict[str, str]:
    """Return an environment in which `tests.settings` means the database of this very test."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": TEST_DATABASE,
        "TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
    }
