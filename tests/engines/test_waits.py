"""A worker never waits for a server or a lock for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from django_jobs.engines import Engine, engine_for


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return an engine whose connection the test may spoil."""
    usual = connections["default"]
    connections["default"] = usual.copy()
    yield engine_for("default")
    connections["default"].close()
    connections["default"] = usual


def _options(engine: Engine) -> Any:
    return engine.connection.settings_dict["OPTIONS"]


@pytest.mark.django_db
class TestLimitWaits:
    @pytest.mark.only_on("postgresql", "mariadb")
    def test_what_the_project_left_open_is_filled_in_and_works(self, engine: Engine) -> None:
        engine.limit_waits(seconds=7)
        assert _options(engine)["connect_timeout"] == 5
        assert engine.read_clock()

    @pytest.mark.only_on("postgresql", "mariadb")
    def test_what_the_project_says_stands(self, engine: Engine) -> None:
        _options(engine)["connect_timeout"] = 2
        engine.limit_waits(seconds=7)
        assert _options(engine)["connect_timeout"] == 2

    @pytest.mark.only_on("postgresql")
    def test_a_pool_is_not_used(self, engine: Engine) -> None:
        _options(engine)["pool"] = True
        engine.limit_waits(seconds=7)
        assert "pool" not in _options(engine)

    @pytest.mark.only_on("sqlite")
    @pytest.mark.parametrize(("given", "seconds", "waits"), [(20, 7, 7_000), (3, 7, 3_000)])
    def test_a_lock_is_waited_for_as_long_as_both_allow(
        self, engine: Engine, given: float, seconds: float, waits: int
    ) -> None:
        _options(engine)["timeout"] = given
        engine.limit_waits(seconds=seconds)
        with engine.connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (waits,)

    def test_the_projects_own_settings_and_other_connections_are_left_alone(self, engine: Engine) -> None:
        before = dict(connection.settings_dict["OPTIONS"])
        theirs = connection.settings_dict
        engine.limit_waits(seconds=1)
        assert theirs["OPTIONS"] == before
        assert engine.connection.settings_dict is not theirs
