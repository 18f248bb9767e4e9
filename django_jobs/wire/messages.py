"""What travels between parent and runner. Plain JSON and text: nothing here is ever unpickled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django_jobs.notes import Note, Progress
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind

# Between the head and the text behind it. Heads are ASCII JSON, which holds no raw NUL.
_BREAK = b"\0"
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

# So a runner exits that cannot report: its job has closed the socket (EX_IOERR of sysexits.h).
CUT_OFF = 74


class Assignment(NamedTuple):
    """One job on its way to a runner."""

    job_id: UUID
    token: int
    function: str
    queue: str
    priority: int
    max_attempts: int
    round: int
    number: int
    options: str | None
    meta: str | None
    args: str

    def to_bytes(self) -> bytes:
        """Return the message a runner reads."""
        head = [self.job_id.hex, *self[1:-1]]
        return _encode(head).encode() + _BREAK + self.args.encode("utf-8", "surrogatepass")

    @classmethod
    def from_bytes(cls, message: bytes) -> Assignment:
        """Return the assignment of a message."""
        head, _, args = message.partition(_BREAK)
        job_id, *rest = json.loads(head)
        return cls._make([UUID(job_id), *rest, args.decode("utf-8", "surrogatepass")])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A job the runner did not start: it goes back uncharged.

    Attributes:
        delay: seconds until it may be tried again.
        reason: why, as the admin shows it.
    """

    job_id: UUID
    token: int
    delay: float
    reason: str


class Remark(NamedTuple):
    """What a run that goes on says of itself: all it has said so far."""

    job_id: UUID
    token: int
    note: Note


Report = Outcome | Refusal | Remark


def report_to_bytes(report: Report) -> bytes:
    """Return the message a runner sends about a job it was given."""
    if isinstance(report, Remark):
        return _encode(["remark", report.job_id.hex, report.token, *report.note]).encode()
    if isinstance(report, Refusal):
        return _encode(["refusal", report.job_id.hex, report.token, report.delay, report.reason]).encode()
    error = report.error and [
        report.error.kind,
        report.error.exception_type,
        report.error.message,
        report.error.traceback,
        report.error.fingerprint,
    ]
    head = ["outcome", report.job_id.hex, report.token, report.outcome, report.retry_in, error]
    head += [report.started_ns, report.finished_ns]
    body = b"" if report.result_data is None else _BREAK + report.result_data.encode()
    return _encode(head).encode() + body


def report_from_bytes(message: bytes) -> Report:
    """Return the report of a message."""
    head, has_result, result = message.partition(_BREAK)
    kind, job_id, token, *rest = json.loads(head)
    if kind == "refusal":
        return Refusal(UUID(job_id), token, *rest)
    if kind == "remark":
        progress, meta, log = rest
        return Remark(UUID(job_id), token, Note(progress and Progress(*progress), meta, log))
    outcome, retry_in, error, started_ns, finished_ns = rest
    return Outcome(
        job_id=UUID(job_id),
        token=token,
        outcome=AttemptOutcome(outcome),
        retry_in=retry_in,
        result_data=result.decode() if has_result else None,
        error=error and ErrorReport(ErrorKind(error[0]), *error[1:]),
        started_ns=started_ns,
        finished_ns=finished_ns,
    )
