"""What becomes of a job whose runner died."""

from __future__ import annotations

import signal

import pytest

from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.worker.verdicts import Verdict, cause_of_death, outcome_of_death
from tests.worker.making import claimed

BLAMELESS = [Verdict.SHUTDOWN, Verdict.LEASE, Verdict.FOLLOWED, Verdict.STUCK, Verdict.ORPHANED]


@pytest.mark.parametrize("verdict", BLAMELESS)
def test_a_job_killed_through_no_fault_of_its_own_is_interrupted(verdict: Verdict) -> None:
    outcome = outcome_of_death(claimed(), verdict=verdict, status=9, started_ns=5)
    assert outcome is not None
    assert (outcome.outcome, outcome.error, outcome.started_ns) == (AttemptOutcome.INTERRUPTED, None, 5)


def test_a_lost_job_is_not_ours_to_judge() -> None:
    assert outcome_of_death(claimed(), verdict=Verdict.LOST, status=9, started_ns=5) is None


def test_every_verdict_has_its_consequence() -> None:
    assert set(Verdict) == {*BLAMELESS, Verdict.LOST, Verdict.TIMEOUT}


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
