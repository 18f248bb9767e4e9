"""What PostgreSQL's listener hears, and who tells it."""

from __future__ import annotations

import fcntl
import termios
from array import array
from collections.abc import Iterator
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from django_jobs.engines.listening import ANY_QUEUE, Listener
from django_jobs.engines.postgresql import PostgreSQLEngine, listening, notifying
from django_jobs.engines.postgresql.listening import NotificationListener
from django_jobs.states import Status
from django_jobs.wire.clock import boottime
from tests.engines.conformance.listening import PATIENCE, TestWakeUps, drain, elsewhere, news  # noqa: F401
from tests.engines.conformance.making import NOW, done, enqueue, running

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def engine() -> PostgreSQLEngine:
    return PostgreSQLEngine("default")


@pytest.fixture(autouse=True)
def _silent_until_now() -> Iterator[None]:
    """Let no notification of another test keep one of this test from being sent."""
    notifying._told.clear()
    yield
    notifying._told.clear()


def _listeners() -> list[int]:
    """Return the pids of the server's processes that serve this database's listeners."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [listening.NAME],
        )
        return [pid for (pid,) in cursor.fetchall()]


def _until_readable(fd: int, *, size: int) -> None:
    """Wait until so many bytes have arrived that nobody has read."""
    arrived, deadline = array("i", [0]), boottime() + PATIENCE
    while arrived[0] < size:
        assert boottime() < deadline
        fcntl.ioctl(fd, termios.FIONREAD, arrived)


class TestTelling:
    def test_a_single_enqueue_tells_within_its_one_statement(self, engine, listener):
        with CaptureQueriesContext(connection) as captured:
            enqueue(engine, queue="mail")
        assert len(captured) == 1
        assert news(listener) == {"mail"}

    def test_in_autocommit_a_queue_is_told_of_once_in_a_while(self, engine):
        with CaptureQueriesContext(connection) as captured:
            enqueue(engine, queue="mail")
            notifying._told["default", "mail"] = boottime()
            enqueue(engine, queue="mail")
            enqueue(engine, queue="other")
            notifying._told["default", "mail"] -= notifying.EVERY
            enqueue(engine, queue="mail")
        assert ["pg_notify" in query["sql"] for query in captured] == [True, False, True, True]

    @pytest.mark.parametrize("many", [1, 2])
    def test_what_could_not_be_stored_is_told_of_when_it_is_tried_again(self, engine, many):
        cut_off = mock.patch.object(PostgreSQLEngine, "ask", side_effect=psycopg.OperationalError("cut off"))
        with cut_off, pytest.raises(psycopg.OperationalError):
            enqueue(engine, many, queue="mail")
        with CaptureQueriesContext(connection) as captured:
            enqueue(engine, many, queue="mail")
        assert "pg_notify" in captured[-1]["sql"]

    def test_within_a_transaction_it_is_told_always(self, engine):
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            enqueue(engine)
            enqueue(engine)
        assert ["pg_notify" in query["sql"] for query in captured] == [True, True]

    def test_many_jobs_are_told_of_once_a_queue(self, engine, listener):
        jobs = [job for queue in ("a", "b") for job in enqueue(engine, 3, queue=queue)]
        assert len(jobs) == 6
        heard = news(listener)
        while heard < {"a", "b"}:
            heard |= news(listener)
        assert heard == {"a", "b"}

    def test_what_rolls_back_is_not_told(self, engine, listener):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            enqueue(engine) and 1 / 0
        assert drain(listener) == 0

    def test_of_a_job_for_later_its_queue_is_not_told(self, engine, listener):
        enqueue(engine, queue="mail", status=Status.SCHEDULED)
        assert news(listener) == {ANY_QUEUE}

    def test_a_waiting_job_is_not_told_of(self, engine, listener):
        enqueue(engine, status=Status.WAITING, holds=1)
        assert drain(listener) == 0

    def test_a_completed_run_is_not_told_of(self, engine, listener):
        job = running(engine)
        drain(listener)
        engine.ack([done(job)])
        assert drain(listener) == 0

    def test_a_queue_that_is_resumed_is_told_of(self, engine, listener):
        engine.pause(["mail"], now=NOW)
        elsewhere(lambda: engine.resume(["mail"]))
        assert news(listener) == {ANY_QUEUE}

    def test_nothing_changed_is_not_told(self, engine):
        with CaptureQueriesContext(connection) as captured:
            engine.promote(now=NOW, limit=5)
            engine.resume(["mail"])
        assert not any("pg_notify" in query["sql"] for query in captured)


class TestProof:
    def test_its_own_notification_proves_that_they_arrive(self, engine):
        listener = engine.listener()
        assert listener.poll_interval == listening.UNPROVEN
        drain(listener)
        assert listener.poll_interval == listening.PROVEN
        assert listener.next_at == float("inf")
        listener.close()

    def test_another_worker_s_proof_wakes_nobody(self, engine, listener):
        elsewhere(lambda: engine.listener().close())
        assert drain(listener) == 0

    def test_where_none_arrives_it_is_said_once_and_polled_more_often(self, engine, caplog):
        # Notifications stay within their database: another one stands for a pooler that passes none on.
        given = {**connections["default"].get_connection_params(), "dbname": "postgres", "autocommit": True}
        with mock.patch.object(listening, "PROOF_TAKES", 0.0):
            listener = NotificationListener(engine, psycopg.connect(**given))
        for _ in range(3):
            listener.heard()
        assert caplog.text.count("do not arrive") == 1
        assert "LISTEN_ALIAS" in caplog.text
        assert listener.poll_interval == listening.UNPROVEN
        listener.close()

    @override_settings(DJANGO_JOBS={"LISTEN_ALIAS": "default"})
    def test_the_alias_for_listening_may_be_the_queue_s_own(self, engine):
        listener = engine.listener()
        assert drain(listener) == 0
        assert listener.poll_interval == listening.PROVEN
        listener.close()

    def test_where_a_pooler_is_in_between_it_listens_on_the_alias_for_that(self, engine):
        with mock.patch.dict(
            connections.settings, direct={**connections.settings["default"], "NAME": "postgres"}
        ):
            with mock.patch.object(listening, "conf", return_value=mock.Mock(LISTEN_ALIAS="direct")):
                listener = engine.listener()
            del connections["direct"]
        assert listener._connection.info.dbname == "postgres"
        listener.close()

    def test_psycopg_2_polls(self, engine):
        with mock.patch("django.db.backends.postgresql.psycopg_any.is_psycopg3", False):
            assert type(engine.listener()) is Listener


class TestLife:
    def test_a_notification_is_looked_for_again_a_little_later(self, engine, listener):
        enqueue(engine, queue="mail")
        assert news(listener) == {"mail"}
        assert listener.next_at <= boottime() + listening.AGAIN[0]
        assert [news(listener), news(listener)] == [{"mail"}, {"mail"}]
        assert listener.next_at == float("inf")

    def test_a_queue_is_recent_until_it_needs_no_further_look(self, engine, listener):
        drain(listener)
        enqueue(engine, queue="mail")
        assert (news(listener), listener.recent) == ({"mail"}, {"mail"})
        enqueue(engine, queue="other")
        assert (news(listener), listener.recent) == ({"other"}, {"mail", "other"})
        drain(listener)
        assert listener.recent == set()

    def test_a_queue_that_is_told_of_all_the_time_puts_off_no_other(self, engine, listener, monkeypatch):
        drain(listener)
        clock, arrived = [100.0], [{"mail"}, *[{"busy"}] * 20]
        monkeypatch.setattr(listening, "boottime", lambda: clock[0])
        monkeypatch.setattr(listener, "_notifications", lambda: arrived.pop(0))
        heard_mail = []
        while arrived:
            if "mail" in listener.heard():
                heard_mail.append(round(clock[0] - 100, 2))
            clock[0] += 0.04
        assert heard_mail == [0.0, 0.08, 0.28]  # as it is told of, and when it is to be looked for again

    def test_all_that_has_arrived_is_read_at_once(self, engine, listener):
        told = {f"queue-{number}-{'x' * 60}" for number in range(1000)}
        drain(listener)
        engine.ask(
            "SELECT pg_notify(%s, name) FROM unnest(%s::text[]) AS told(name)", ("django_jobs", list(told))
        )
        _until_readable(listener.fileno(), size=sum(map(len, told)))
        assert listener.heard() == told

    def test_a_connection_that_is_ended_is_an_error(self, engine, listener):
        (pid,) = _listeners()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(psycopg.OperationalError):
            news(listener)

    def test_one_that_cannot_be_opened_leaves_no_connection_behind(self, engine):
        with (
            mock.patch.object(PostgreSQLEngine, "ask", side_effect=psycopg.OperationalError("away")),
            pytest.raises(psycopg.OperationalError),
        ):
            engine.listener()
        made: Any = engine.listener()
        made.close()

    def test_it_comes_from_no_pool(self, engine):
        ours = connections["default"]
        given = {**ours.settings_dict, "OPTIONS": {**ours.settings_dict["OPTIONS"], "pool": True}}
        ours.close()
        with mock.patch.object(ours, "settings_dict", given), mock.patch.object(engine, "ask"):
            listener = engine.listener()
        assert listener.fileno() >= 0
        listener.close()
