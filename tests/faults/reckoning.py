"""What must hold of the accounts of any storm, by name: a sentence for whatever breaks a promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from django_jobs.states import FINAL
from tests.faults.accounts import LOST, Accounts

WITH_AN_ERROR = ("failed", "timed out", "crashed")


def broken(accounts: Accounts) -> list[str]:
    """Return a sentence for whatever breaks a promise, the promise first."""
    return [f"{name}: {what}" for name, look in PROMISES.items() for what in look(accounts)]


def _acknowledged_is_final(its: Accounts) -> Iterator[str]:
    for job in sorted(its.enqueued["ENQUEUED"]):
        if its.jobs.get(job) not in FINAL and not its.may_be_gone(job):
            yield f"job {job} is {its.jobs.get(job, 'gone')}"


def _completed_has_ended(its: Accounts) -> Iterator[str]:
    ended = {key for key, run in its.runs.items() if run.end == "END"}
    for key, outcome in its.outcomes.items():
        if outcome == "completed" and key not in ended:
            yield f"run {key[1]} of job {key[0]} has not"
    completed = {job for (job, _), outcome in its.outcomes.items() if outcome == "completed"}
    for job, status in its.jobs.items():
        if status == "completed" and job not in completed:
            yield f"job {job} has no such run"


def _rolled_back_is_nowhere(its: Accounts) -> Iterator[str]:
    for job in sorted(its.enqueued["ROLLED-BACK"]):
        if job in its.jobs or job in its.runs_of:
            yield f"job {job} is {its.jobs.get(job, 'gone')}, with {len(its.runs_of.get(job, []))} runs"


def _unknown_is_all_or_nothing(its: Accounts) -> Iterator[str]:
    for job in sorted(its.enqueued["UNKNOWN"]):
        if job in its.jobs and its.jobs[job] not in FINAL:
            yield f"job {job} is {its.jobs[job]}"
        if job not in its.jobs and job in its.runs_of:
            yield f"job {job} has run and is gone"


def _what_runs_was_enqueued(its: Accounts) -> Iterator[str]:
    known = set().union(*its.enqueued.values())
    yield from (f"job {job} was not" for job in its.runs_of if job not in known)


def _a_claim_runs_once(its: Accounts) -> Iterator[str]:
    yield from (f"{run.job} under {run.token}: {run.starts}" for run in its.runs.values() if run.starts > 1)


def _runs_are_written(its: Accounts) -> Iterator[str]:
    for job, token in its.runs.keys() - its.outcomes.keys():
        if not its.may_be_gone(job):
            yield f"run {token} of job {job} is not"


def _second_runs_have_a_cause(its: Accounts) -> Iterator[str]:
    for before, after in its.repeats:
        outcome = its.outcomes.get((before.job, before.token))
        if (before.end, outcome) in (("FAILED", "failed"), ("DYING", "crashed")):
            continue
        if before.end == "FAILED" and its.may_be_gone(before.job):
            continue
        fault = its.cause(before)
        if fault is None or fault.since > after.started:
            yield f"run {after.token} of job {after.job}, after {before} ({outcome})"


def _lost_runs_have_a_cause(its: Accounts) -> Iterator[str]:
    for key, run in its.runs.items():
        if its.outcomes.get(key) in LOST and run.end != "DYING" and not its.cause(run):
            yield f"{run} ({its.outcomes[key]})"


def _runs_do_not_overlap(its: Accounts) -> Iterator[str]:
    for before, after in its.repeats:
        hits = [fault for fault in its.faults if before.is_hit(fault)]
        if any(fault.kind == "FREEZE" and fault.since <= after.started for fault in hits):
            continue
        kills = [fault.since for fault in hits if fault.kind != "OUTAGE"]
        # What a worker that loses its database kills by itself leaves no line; what then ends late, does.
        over = before.ended if before.end else min(kills, default=before.started)
        if over > after.started:
            yield f"{before} and {after}"


def _acked_once(its: Accounts) -> Iterator[str]:
    acks = Counter((attempt.job, attempt.token) for attempt in its.attempts)
    yield from (
        f"{count} acks of run {token} of job {job}" for (job, token), count in acks.items() if count > 1
    )
    charged = [attempt for attempt in its.attempts if attempt.outcome != "interrupted"]
    numbers = Counter((attempt.job, attempt.round, attempt.number) for attempt in charged)
    for (job, _, number), count in numbers.items():
        if count > 1:
            yield f"{count} attempts of job {job} are number {number}"


def _failures_have_their_error(its: Accounts) -> Iterator[str]:
    for (job, token), outcome in its.outcomes.items():
        if (outcome in WITH_AN_ERROR) != ((job, token) in its.errors):
            yield f"run {token} of job {job} ({outcome})"


def _a_killed_runner_costs_one_run(its: Accounts) -> Iterator[str]:
    lost = [run for key, run in its.runs.items() if its.outcomes.get(key) in LOST]
    for fault in its.faults:
        hit = [run for run in lost if run.is_hit(fault)] if fault.what == "runner" else []
        if len(hit) > 1:
            yield f"{fault} met {hit}"


PROMISES: dict[str, Callable[[Accounts], Iterator[str]]] = {
    "an acknowledged job is final": _acknowledged_is_final,
    "what is completed has ended": _completed_has_ended,
    "what was rolled back is nowhere": _rolled_back_is_nowhere,
    "what nobody knows of is there or it is not": _unknown_is_all_or_nothing,
    "what runs was enqueued": _what_runs_was_enqueued,
    "a claim runs once": _a_claim_runs_once,
    "every run is written": _runs_are_written,
    "a second run has a cause": _second_runs_have_a_cause,
    "a lost run has a cause": _lost_runs_have_a_cause,
    "runs of a job do not overlap": _runs_do_not_overlap,
    "a run is acked once": _acked_once,
    "what went wrong has its error, and nothing else has": _failures_have_their_error,
    "a runner that is killed loses one run": _a_killed_runner_costs_one_run,
}
