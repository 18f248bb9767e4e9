"""Nothing that one attempt leaves open reaches the next."""

from __future__ import annotations

import sys
from io import StringIO

import pytest
from django.db import connection, connections, transaction

from django_jobs.runner import hygiene
from tests.killing import kill

pytestmark = pytest.mark.django_db(transaction=True)


def _works() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,) and connections["default"].get_autocommit()


def test_a_sound_connection_is_kept() -> None:
    assert _works()
    inner = connection.connection
    hygiene.after_attempt()
    assert connection.connection is inner


def test_a_transaction_left_open_is_rolled_back_with_its_connection() -> None:
    block = transaction.atomic()
    block.__enter__()
    inner = connection.connection
    hygiene.after_attempt()
    assert connections["default"].connection is not inner
    assert _works()
    assert not connections["default"].in_atomic_block


def test_a_connection_thrown_away_is_given_back_to_the_pool_it_may_be_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _works()
    wrapper, given_back = connections["default"], []
    # Where Django gives a connection back to its pool, whatever the pool is.
    monkeypatch.setattr(wrapper, "_close", lambda: given_back.append(wrapper.connection))
    inner = wrapper.connection
    transaction.atomic().__enter__()
    hygiene.after_attempt()
    assert given_back == [inner]
    assert connections["default"].connection is None


def test_autocommit_switched_off_is_on_for_the_next() -> None:
    connection.set_autocommit(False)
    hygiene.after_attempt()
    assert _works()


def test_a_transaction_begun_behind_djangos_back_is_rolled_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO django_content_type (app_label, model) VALUES ('left', 'open')")
    hygiene.after_attempt()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_content_type WHERE app_label = 'left'")
        assert cursor.fetchone() == (0,)


def test_a_connection_that_was_closed_underneath_is_replaced() -> None:
    assert _works()
    connection.connection.close()
    connection.errors_occurred = True
    hygiene.after_attempt()
    assert _works()


def test_a_connection_that_died_while_idle_is_replaced_before_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _works()
    hygiene.after_attempt()
    monkeypatch.setattr(hygiene._use, "last", hygiene.boottime() - hygiene.TRUSTED_FOR - 1)
    monkeypatch.setattr(connection._connections["default"], "is_usable", lambda: False)
    inner = connection.connection
    hygiene.before_attempt()
    assert connections["default"].connection is not inner
    assert _works()


def test_closing_leaves_no_connection_open_and_is_borne_twice() -> None:
    assert _works()
    hygiene.close_connections()
    hygiene.close_connections()
    assert connections["default"].connection is None
    assert _works()


def test_output_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", None)
    hygiene.after_attempt()
    assert sys.stdout is closed


@pytest.mark.only_on("postgresql", "mariadb")
def test_a_connection_that_was_killed_a_moment_ago_does_not_fail_the_next() -> None:
    assert _works()
    hygiene.after_attempt()
    kill(connection)
    hygiene.before_attempt()
    assert _works()


@pytest.mark.only_on("postgresql")
def test_a_sound_connection_is_not_asked_between_two_quick_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _works()
    monkeypatch.setattr(connection._connections["default"], "is_usable", lambda: pytest.fail("was asked"))
    hygiene.after_attempt()
    hygiene.before_attempt()
    assert _works()
