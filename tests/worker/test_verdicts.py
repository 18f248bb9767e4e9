"""What becomes of a job whose run was stopped or whose runner died."""

from __future__ import annotations

import signal

import pytest

from django_jobs.notes import Note
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.worker.verdicts import Verdict, cause_of_death, outcome_of_death, outcome_of_stopped
from tests.worker.making import claimed, completed, failed

BLAMELESS = [
    Verdict.SHUTDOWN,
    Verdict.LEASE,
    Verdict.FOLLOWED,
    Verdict.AMONG,
    Verdict.STUCK,
    Verdict.DEAF,
    Verdict.ORPHANED,
    Verdict.LINGERED,
]


@pytest.mark.parametrize("verdict", BLAMELESS)
def test_a_job_killed_through_no_fault_of_its_own_is_interrupted(verdict: Verdict) -> None:
    outcome = outcome_of_death(claimed(), verdict=verdict, status=9, started_ns=5)
    assert outcome is not None
    assert (outcome.outcome, outcome.error, outcome.started_ns) == (AttemptOutcome.INTERRUPTED, None, 5)


def test_a_lost_job_is_not_ours_to_judge() -> None:
    assert outcome_of_death(claimed(), verdict=Verdict.LOST, status=9, started_ns=5) is None


def test_every_verdict_has_its_consequence() -> None:
    assert set(Verdict) == {*BLAMELESS, Verdict.LOST, Verdict.TIMEOUT, Verdict.CANCELLED}


@pytest.mark.parametrize(
    ("verdict", "kind", "message"),
    [
        (Verdict.TIMEOUT, ErrorKind.TIMEOUT, "ran longer than its timeout of 2.5 s and was killed"),
        (None, ErrorKind.CRASH, "its runner was killed by SIGKILL"),
    ],
)
@pytest.mark.parametrize(("attempts", "dead"), [(0, False), (1, False), (2, True), (10**9, True)])
def test_timeouts_and_crashes_are_charged_until_the_attempts_are_used_up(
    verdict: Verdict | None, kind: ErrorKind, message: str, attempts: int, dead: bool
) -> None:
    job = claimed(timeout=2.5, attempts=attempts, max_attempts=3)
    outcome = outcome_of_death(job, verdict=verdict, status=9, started_ns=5)
    assert outcome is not None
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.message) == (kind, message)
    assert (outcome.retry_in is None) is dead


def test_a_run_that_was_stopped_in_its_code_tells_where_it_hung() -> None:
    job = claimed(timeout=2.5)
    outcome = outcome_of_stopped(job, verdict=Verdict.TIMEOUT, report=failed(job, traceback="in line 3"))
    assert outcome.error is not None
    assert (outcome.outcome, outcome.error.kind) == (AttemptOutcome.TIMED_OUT, ErrorKind.TIMEOUT)
    assert outcome.error.message == "ran longer than its timeout of 2.5 s and was stopped"
    assert outcome.error.traceback == "in line 3"
    assert outcome.retry_in


def test_what_a_run_returns_after_it_was_told_to_stop_is_dropped() -> None:
    job = claimed(timeout=2.5, attempts=2, max_attempts=3)
    outcome = outcome_of_stopped(job, verdict=Verdict.TIMEOUT, report=completed(job, result_data="late"))
    assert (outcome.outcome, outcome.result_data, outcome.retry_in) == (AttemptOutcome.TIMED_OUT, None, None)
    assert outcome.error is not None
    assert outcome.error.message.endswith("its result was dropped")


def test_stopped_and_killed_runs_of_a_function_are_one_group() -> None:
    job = claimed(timeout=2.5)
    killed = outcome_of_death(job, verdict=Verdict.TIMEOUT, status=9, started_ns=5)
    marks = [
        outcome.error.fingerprint
        for report in (completed(job), failed(job, traceback="here"), failed(job, traceback="there"))
        if (outcome := outcome_of_stopped(job, verdict=Verdict.TIMEOUT, report=report)).error
    ]
    assert killed is not None
    assert killed.error is not None
    assert {*marks, killed.error.fingerprint} == {killed.error.fingerprint}


def test_what_a_stopped_run_has_said_is_kept() -> None:
    job, note = claimed(timeout=2.5), Note(None, None, "a line")
    outcome = outcome_of_stopped(job, verdict=Verdict.TIMEOUT, report=failed(job)._replace(note=note))
    assert outcome.note == note


def test_a_run_stopped_at_shutdown_is_interrupted_unless_it_completed() -> None:
    job = claimed()
    done, broken = completed(job, result_data="7"), failed(job)
    assert outcome_of_stopped(job, verdict=Verdict.SHUTDOWN, report=done) == done
    outcome = outcome_of_stopped(job, verdict=Verdict.SHUTDOWN, report=broken)
    assert (outcome.outcome, outcome.error) == (AttemptOutcome.INTERRUPTED, None)
    assert outcome.started_ns == broken.started_ns


def test_a_run_that_was_ended_because_it_was_cancelled_is_charged_and_has_no_error() -> None:
    job = claimed()
    killed = outcome_of_death(job, verdict=Verdict.CANCELLED, status=9, started_ns=5)
    stopped = outcome_of_stopped(job, verdict=Verdict.CANCELLED, report=failed(job))
    for outcome in (killed, stopped):
        assert outcome is not None
        assert (outcome.outcome, outcome.error, outcome.retry_in) == (AttemptOutcome.CANCELLED, None, None)


def test_a_run_that_completed_before_its_forced_end_stays_completed() -> None:
    done = completed(job := claimed(), result_data="7")
    assert outcome_of_stopped(job, verdict=Verdict.CANCELLED, report=done) == done


@pytest.mark.parametrize("options", ["no JSON", "[]", '{"retry_delay": {"kind": "nonsense"}}'])
def test_spoilt_options_keep_nobody_from_judging(options: str) -> None:
    outcome = outcome_of_death(claimed(options=options), verdict=None, status=9, started_ns=5)
    assert outcome is not None
    assert outcome.retry_in is not None


def test_crashes_of_different_causes_are_told_apart_by_their_fingerprint() -> None:
    job = claimed()
    statuses = (9, 11, 11, 3 << 8)
    marks = [
        outcome.error.fingerprint
        for status in statuses
        if (outcome := outcome_of_death(job, verdict=None, status=status, started_ns=5)) and outcome.error
    ]
    assert len(marks) == 4
    assert marks[1] == marks[2]
    assert len(set(marks)) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with code 0"),
        (3 << 8, "exited with code 3"),
        (signal.SIGSEGV | 0x80, "was killed by SIGSEGV"),
        (50, "was killed by signal 50"),
    ],
)
def test_a_wait_status_is_told_in_words(status: int, words: str) -> None:
    assert cause_of_death(status) == words
