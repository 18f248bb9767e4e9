"""What every room's tests share."""

from __future__ import annotations

import gc
import os
import random
import secrets
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests.marks import swept_behind_me
from tests.tiers import TIER

TEST_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
# What uses no database is the same on every one: it runs with SQLite, and where there is but one.
TAKES_ALL = TEST_DATABASE == "sqlite" or bool(os.environ.get("TEST_DATABASE_ALONE"))
DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "live_server",
    "admin_client",
    "admin_user",
    "django_user_model",
}

# How long an example takes is the machine's business.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# Collecting makes many objects and no garbage: without its collector the first test begins sooner.
gc.disable()


def pytest_collection_finish() -> None:
    """Turn the garbage collector on again before the first test."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks: for tests of one vendor's engine, and for those whose size is the tier's."""
    config.addinivalue_line("markers", "only_on(*databases): the only databases this test is about")
    does_more = (
        "faults(from_tier=0): does more in a higher tier, and nothing below this one (see tests/tiers.py)"
    )
    config.addinivalue_line("markers", does_more)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have measured: a figure's unit is in its name."""
    found: dict[str, list[float]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figure":
                found.setdefault(value[0], []).append(value[1])
    for what, numbers in sorted(found.items()) if TIER else ():
        median, most = statistics.median(numbers), max(numbers)
        terminalreporter.write_line(f"{what}: {len(numbers)} times, median {median:.4g}, most {most:.4g}")


def uses_database(item: pytest.Item) -> bool:
    """Return whether a test touches the database, by mark, fixture or base class."""
    return bool(
        item.get_closest_marker("django_db")
        or DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not about this database or tier, or would be the same on every database."""
    chosen = [item for item in items if _belongs_here(item)]
    left_out = set(items).difference(chosen)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = chosen


def _belongs_here(item: pytest.Item) -> bool:
    faults = item.get_closest_marker("faults")
    if faults is not None and faults.kwargs.get("from_tier", 0) > TIER:
        return False
    vendor = item.get_closest_marker("only_on")
    if vendor is not None:
        return TEST_DATABASE in vendor.args
    return TAKES_ALL or uses_database(item)


@pytest.fixture
def seed(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> int:
    """Return the seed of all that is random in a test: of TEST_SEED, or a new one, printed when it fails."""
    chosen = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(2**32))
    record_property("seed", chosen)
    print(f"TEST_SEED={chosen}")
    # With one seed for all, its cases would all do the same.
    case = request.node.name.partition("[")[2]
    return random.Random(f"{chosen}{case}").randrange(2**32) if case else chosen


@pytest.fixture(scope="session")
def session_mark() -> Iterator[str]:
    """Return what the processes of this session bear as TEST_SESSION; none outlives it, whatever ends it."""
    mark = f"{os.getpid()}-{secrets.token_hex(8)}"
    with swept_behind_me(f"TEST_SESSION={mark}"):
        yield mark


@pytest.fixture
def subprocess_environment(transactional_db: None, session_mark: str) -> dict[str, str]:
    """Return an environment in which `tests.settings` means the database of this very test."""
    return {
        **os.environ,
        "TEST_SESSION": session_mark,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": TEST_DATABASE,
        "TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
    }
