"""Bugs that queues of jobs have had, each with the test that must find it and what that test then says.

`python -m tests.faults.selftest` plants them one at a time, in all processes of that test.
"""

from __future__ import annotations

import re
import signal
from contextlib import nullcontext
from typing import NamedTuple

from django_jobs.engines.portable import repeating
from django_jobs.engines.postgresql import PostgreSQLEngine
from django_jobs.engines.sqlite import SQLiteEngine, removing
from django_jobs.engines.sqlite import engine as sqlite
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.masking import Secrets
from django_jobs.policies import exponential
from django_jobs.runner import birth, execute, hygiene, serve
from django_jobs.serializers import limits
from django_jobs.worker import floor, nursery
from django_jobs.worker.claims import Claims
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.desk import Desk
from django_jobs.worker.floor import Floor
from django_jobs.worker.inbox import Inbox
from django_jobs.worker.ladder import Ladder
from django_jobs.worker.nursery import Nursery
from tests.faults import wrongs
from tests.faults.planted import PORTABLE, WHOLESALE
from tests.faults.planting import Plant, put, reworded, together, wrapped


class Bug(NamedTuple):
    """A bug.

    Attributes:
        test: that finds it.
        said: a part of why that test fails.
        database: on which; any where it is not said.
    """

    plant: Plant
    test: str
    said: str
    database: str | None = None


def _unfenced(statement: str, by_row: Plant) -> Plant:
    """Return what takes the token out of a verb: its statement for many rows, and row by row."""
    wholesale = reworded(WholesaleEngine, statement, "AND claim_token = %s", "AND %s IS NOT NULL")
    unnested = reworded(PostgreSQLEngine, statement, "AND claim_token = given.token", "")
    return together(by_row, wholesale, unnested)


_PROCESSES, _SQLITE = "tests/processes", "tests/engines/test_sqlite.py"
_FENCES = f"{_PROCESSES}/test_fences.py"
_AT_A_STOP = (
    f"{_PROCESSES}/test_shutdown.py::test_what_is_claimed_and_has_not_begun_goes_back_at_once_uncharged"
)
_heartbeat = wrongs.Heartbeat()

BUGS: dict[str, Bug] = {
    "ack without token": Bug(
        _unfenced("settle", PORTABLE["ack without token"].plant),
        f"{_FENCES}::test_the_end_of_a_run_whose_job_is_another_s_by_now_is_dropped",
        "'status': 'completed'",
    ),
    "attempt written before the guard": Bug(
        put(WholesaleEngine, "_ack_all", wrongs.write_history_first),
        f"{_FENCES}::test_the_end_of_a_run_whose_job_is_another_s_by_now_is_dropped",
        "assert 1 == 0",
    ),
    "ack in several transactions": Bug(
        put(SQLiteEngine, "transaction", lambda engine, **how: nullcontext()),
        f"{_PROCESSES}/test_signals.py"
        "::test_an_end_that_cannot_be_written_for_a_while_is_told_when_it_is_and_once",
        "assert 0 == 1",
        "sqlite",
    ),
    "ack forgotten in an outage": Bug(
        put(Inbox, "put_back", lambda inbox, work: None),
        f"{_PROCESSES}/test_signals.py"
        "::test_an_end_that_cannot_be_written_for_a_while_is_told_when_it_is_and_once",
        "an end that could not be written is not written later",
    ),
    "signals told before the commit": Bug(
        wrapped(Claims, "settle_and_claim", wrongs.tell_before_writing),
        f"{_PROCESSES}/test_signals.py"
        "::test_an_end_that_cannot_be_written_for_a_while_is_told_when_it_is_and_once",
        "== ['job_completed']",
    ),
    "renewal without token": Bug(
        _unfenced("renew", PORTABLE["renewal without token"].plant),
        f"{_FENCES}::test_a_renewal_leaves_the_lease_of_another_as_it_is_and_ends_the_run",
        "'lease': ",
    ),
    "rescue without guard": Bug(
        PORTABLE["rescue without guard"].plant,
        f"{_FENCES}::test_a_lease_that_is_good_is_not_touched_beside_one_that_is_over",
        "'lease': ",
    ),
    "crash not counted": Bug(
        PORTABLE["crash not counted"].plant,
        f"{_PROCESSES}/test_rescue.py::test_the_job_of_a_killed_worker_is_run_by_another",
        "('completed', 1)",
    ),
    "renewal from beside the job": Bug(
        together(
            wrapped(serve, "run_and_report", _heartbeat.run),
            wrapped(Claims, "renew", _heartbeat.renew),
        ),
        f"{_PROCESSES}/test_freezing.py::test_a_job_that_holds_the_gil_for_three_leases_is_not_taken_over",
        "== {('timed out', 1)}",
    ),
    "runners live on past the lease": Bug(
        put(Nursery, "_guard_lease", lambda nursery: None),
        f"{_FENCES}::test_what_a_worker_runs_is_ended_by_its_nursery_when_the_worker_freezes_past_its_lease",
        "a run has outlived its lease",
    ),
    "only the runner is killed": Bug(
        put(nursery, "kill_session", lambda leader: None),
        f"{_PROCESSES}/test_deaths.py::test_a_dead_runner_is_told_of_and_replaced_and_leaves_nothing[exit 0]",
        "is_gone(",
    ),
    "a killed worker's runners live on": Bug(
        put(Nursery, "_kill_all", lambda nursery, verb: None),
        f"{_PROCESSES}/test_rescue.py::test_runners_end_with_a_worker_that_is_killed",
        "a run has outlived its worker",
    ),
    "a time limit without a kill": Bug(
        put(Ladder, "climb", lambda ladder: float("inf")),
        f"{_PROCESSES}/test_stopping.py::test_hung_jobs_are_gone_after_their_timeout[fork]",
        "a run has outlived its time limit",
    ),
    "runners hear their group's signals": Bug(
        put(birth, "_SIGNALS", tuple((each, signal.SIG_DFL) for each in (signal.SIGTERM, signal.SIGINT))),
        f"{_PROCESSES}/test_shutdown.py::test_a_signal_to_the_whole_group_ends_no_job",
        "ResultTimeout",
    ),
    "the host's clock": Bug(
        put(DatabaseClock, "measure", wrongs.read_host_clock),
        f"{_PROCESSES}/test_clock.py::test_leases_and_ends_are_written_in_the_database_s_time",
        "lease__gt",
        "postgresql",
    ),
    "no polling": Bug(
        put(Desk, "_next_look", lambda desk: float("inf")),
        f"{_PROCESSES}/test_waking.py::test_a_worker_that_no_news_reach_looks_by_itself",
        "does not look by itself",
    ),
    "text not cleaned": Bug(
        put(limits, "_UNSTORABLE", re.compile("(?!)")),
        f"{_PROCESSES}/test_killing.py::test_errors_that_cannot_be_told_are_told_anyway",
        "assert 'truncated' in",
    ),
    "back-off clamped after the multiplication": Bug(
        put(exponential, "_grown", lambda self, n, cap: min(self.first * float(self.factor) ** n, cap)),
        f"{_PROCESSES}/test_running.py"
        "::test_a_job_that_fails_for_the_two_thousandth_time_waits_as_long_as_its_cap_says",
        "poll()",
    ),
    "a bad row reaches the runners": Bug(
        put(floor, "flaws", lambda job: {}),
        f"{_PROCESSES}/test_bad_rows.py::test_a_spoilt_row_dies_with_a_reason_and_the_others_run[1]",
        "good rows do not run beside spoilt ones",
        "sqlite",
    ),
    "unpickled before it is verified": Bug(
        wrapped(execute, "load_args", wrongs.load_before_verifying),
        f"{_PROCESSES}/test_payloads.py::test_no_worker_loads_what_nobody_has_signed_and_it_goes_on",
        "/sung').exists",
    ),
    "given back only at the end of the grace period": Bug(
        put(Floor, "give_back", lambda floor: None),
        _AT_A_STOP,
        "what has not begun is not given back at once",
    ),
    "charged for what has not begun": Bug(
        together(
            PORTABLE["release charges"].plant,
            WHOLESALE["release of many charges"].plant,
            reworded(PostgreSQLEngine, "release", "SET status", "SET attempts = job.attempts + 1, status"),
        ),
        _AT_A_STOP,
        "{('ready', 1,",
    ),
    "masked when shown, not when stored": Bug(
        together(
            put(execute, "secrets_of", lambda *_: Secrets()),
            put(execute, "stored_secrets", lambda *_: Secrets()),
        ),
        f"{_PROCESSES}/test_secrets.py::test_no_row_of_a_failed_run_and_no_line_of_the_log_shows_a_secret",
        "s3cr3t",
    ),
    "dead connections kept": Bug(
        put(hygiene, "before_attempt", lambda: None),
        f"{_PROCESSES}/test_outage.py::test_a_runners_connection_that_was_cut_does_not_fail_the_next_job",
        "('completed', 2)",
        "postgresql",
    ),
    "BEGIN DEFERRED": Bug(
        put(sqlite, "_immediate", lambda connection: nullcontext()),
        f"{_SQLITE}::TestTransaction"
        "::test_nobody_writes_between_our_read_and_our_write_whatever_the_settings_say",
        "database is locked",
        "sqlite",
    ),
    "claim by IN (SELECT … LIMIT)": Bug(
        put(PostgreSQLEngine, "claim", wrongs.claim_by_subquery),
        "tests/engines/test_postgresql.py"
        "::test_with_the_statistics_of_a_single_job_no_more_are_claimed_than_asked_for",
        "== [2, 2, 2]",
        "postgresql",
    ),
    "a conflict repeated in the caller's transaction": Bug(
        put(repeating, "_in_callers_transaction", lambda engine: False),
        "tests/engines/test_mysql.py::TestRepeated::test_inside_a_callers_transaction_the_caller_is_told",
        "[False] == [True]",
        "mariadb",
    ),
    "all pruned at once": Bug(
        wrapped(
            removing, "prune", lambda right, ask, status, before, limit: right(ask, status, before, 10**6)
        ),
        f"{_SQLITE}::TestPrune::test_those_final_for_longest_are_removed_first_and_no_more_than_the_limit",
        "assert 3 == 1",
        "sqlite",
    ),
    "replay without guard": Bug(
        PORTABLE["replay without guard"].plant,
        f"{_SQLITE}::TestReplay::test_a_letter_is_replayed_once",
        "assert [UUID(",
        "sqlite",
    ),
}
