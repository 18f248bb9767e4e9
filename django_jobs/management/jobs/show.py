"""`manage.py jobs show ID`: everything about one job."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from django_jobs import masking
from django_jobs.exceptions import JobNotFound
from django_jobs.management.jobs.answers import Answer, Subcommand, clock, iso, one_line, printable
from django_jobs.management.jobs.listing import brief
from django_jobs.models import Attempt, Job, JobError, JobNote
from django_jobs.states import CancelRequest


class Show(Subcommand):
    """Show one job with its attempts and errors."""

    help = "Shows one job with its attempts and errors. Exits with 1 when there is no such job."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the id."""
        parser.add_argument("id", help="the job's id")

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the job."""
        try:
            job = Job.objects.find(options["id"])
        except JobNotFound as error:
            raise CommandError(one_line(str(error), width=200)) from None
        note = JobNote.objects.filter(job=job.pk).first() or JobNote(job_id=job.pk)
        attempts = list(Attempt.objects.filter(job=job.pk).order_by("id"))
        errors = list(JobError.objects.filter(job=job.pk).order_by("id"))
        return Answer(_data(job, note, attempts, errors), _text(job, note, attempts, errors))


def _data(job: Job, note: JobNote, attempts: list[Attempt], errors: list[JobError]) -> dict[str, Any]:
    return {
        **brief(job),
        "timeout": job.timeout,
        "worker": job.worker_id,
        "started_at": iso(job.started_at),
        "interruptions": job.interruptions,
        "cancel_requested": _wish(job),
        "replayed_as": _id(job.replayed_as),
        "replay_of": _id(job.replay_of),
        "args": _stored(masking.shown_args(job, may_see=False)),
        "options": _stored(job.options),
        "result": _stored(masking.shown_result(job, may_see=False)),
        "result_expires_at": iso(job.result_expires_at),
        "progress": note.progress and note.progress._asdict(),
        "meta": _stored(note.meta),
        "log": _said_now(job, note),
        "said_at": iso(note.updated_at),
        "attempts_made": [_attempt(each) for each in attempts],
        "errors": [_error(each) for each in errors],
    }


def _wish(job: Job) -> str | None:
    """Return what somebody has asked of a running job, in a word; None where nobody has."""
    words: dict[int, str] = {CancelRequest.ASKED: "asked", CancelRequest.FORCED: "forced"}
    return words.get(job.cancel_requested)


def _id(job_id: UUID | None) -> str | None:
    return str(job_id) if job_id else None


def _stored(text: str | None) -> Any:
    """Return stored JSON decoded; of a corrupted row, the text as it stands."""
    try:
        return None if text is None else json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "round": attempt.round,
        "number": attempt.number,
        "outcome": attempt.outcome,
        "worker": attempt.worker_id,
        "started_at": iso(attempt.started_at),
        "finished_at": iso(attempt.finished_at),
        "duration": attempt.duration,
        "log": attempt.log,
    }


def _error(error: JobError) -> dict[str, Any]:
    return {
        "round": error.round,
        "number": error.number,
        "kind": error.kind,
        "exception_type": error.exception_type,
        "message": error.message,
        "traceback": error.traceback,
        "worker": error.worker_id,
        "failed_at": iso(error.failed_at),
        "duration": error.duration,
    }


def _said_now(job: Job, note: JobNote) -> str | None:
    """Return what the run under way has logged; that of one that has ended is its attempt's."""
    return note.log if note.token == job.claim_token else None


def _text(job: Job, note: JobNote, attempts: list[Attempt], errors: list[JobError]) -> str:
    by_token = {error.token: error for error in errors}
    runs = [_run(attempt, by_token.pop(attempt.token, None)) for attempt in attempts]
    lone = [_said(error) for error in by_token.values()]
    now = _said_now(job, note)
    going_on = ["", f"the attempt that runs says, {clock(note.updated_at)}:", _lines(now)] if now else []
    return "\n".join([*_facts(job, note), *going_on, "", *(runs or ["no attempt has ended yet"]), *lone])


def _facts(job: Job, note: JobNote) -> list[str]:
    facts = {
        "job": job.pk,
        "function": one_line(job.function),
        "status": f"{job.status} ({one_line(job.reason, width=1_000)})" if job.reason else job.status,
        "queue": f"{one_line(job.queue)}, priority {job.priority}",
        "attempts": f"{job.attempts} of {job.max_attempts} in round {job.round}",
        "created": clock(job.created_at),
        "ended" if job.is_final else "due": clock(job.run_after),
        "worker": one_line(job.worker_id),
        "cancelling": _wish(job) or "",
        "progress": one_line(str(note.progress or ""), width=1_000),
        "meta": one_line(note.meta or "", width=1_000),
        "replayed as": _id(job.replayed_as) or "",
        "replay of": _id(job.replay_of) or "",
        "arguments": one_line(masking.shown_args(job, may_see=False), width=1_000),
        "options": one_line(job.options or "", width=1_000),
        "result": one_line(masking.shown_result(job, may_see=False) or "", width=1_000),
        "result until": clock(job.result_expires_at),
        "error": one_line(job.error or "", width=1_000),
    }
    return [f"{name + ':':14}{value}" for name, value in facts.items() if value not in ("", "-")]


def _run(attempt: Attempt, error: JobError | None) -> str:
    took = "" if attempt.duration is None else f" after {attempt.duration:.3f} s"
    line = f"attempt {attempt.round}.{attempt.number}: {attempt.outcome}{took}"
    line += f", {clock(attempt.finished_at)}, by {one_line(attempt.worker_id)}"
    said = [_said(error)] if error else []
    logged = ["    log:", _lines(attempt.log)] if attempt.log else []
    return "\n".join([line, *said, *logged])


def _said(error: JobError) -> str:
    return _lines(f"{error.kind}: {one_line(error.error, width=400)}\n{error.traceback}")


def _lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in printable(text).rstrip().splitlines())
