"""What travels between parent and runner.

Every message begins with the fence of its run, so that the parent knows which it is about before it reads
on. An assignment is marshalled: only the parent writes on that way, and a runner is of the same program.
What comes back may have been written by a job, so it has fixed places and plain JSON: reading it can do no
more than fail. Nothing here is ever unpickled.
"""

from __future__ import annotations

import json
import marshal
import struct
from typing import NamedTuple
from uuid import UUID

from django_jobs.notes import Note, Progress
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind

# A version without references: nothing is in an assignment twice, and looking for it takes time.
_MARSHAL = 2
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_FENCE = struct.Struct("<16sq")
# Behind the fence a report says what it is.
_OUTCOME, _REFUSAL, _REMARK = b"o", b"r", b"n"
_KIND = slice(_FENCE.size, _FENCE.size + 1)
# How an outcome begins: its run, how that ended, from when until when. Behind it what few have, the result.
_END = struct.Struct("<16sqcBqq")
_OUTCOMES = tuple(AttemptOutcome)
_PLACES = {outcome: place for place, outcome in enumerate(_OUTCOMES)}
# What is JSON here is ASCII without a raw NUL.
_BREAK = b"\0"

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
        return fence(self.job_id, self.token) + marshal.dumps(self[2:], _MARSHAL)

    @classmethod
    def from_bytes(cls, message: bytes) -> Assignment:
        """Return the assignment of a message."""
        job_id, token = _FENCE.unpack_from(message)
        return cls(UUID(bytes=job_id), token, *marshal.loads(message[_FENCE.size :]))


class Refusal(NamedTuple):
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


def fence(job_id: UUID, token: int) -> bytes:
    """Return how messages name a run."""
    return _FENCE.pack(job_id.bytes, token)


def fence_of(message: bytes) -> bytes:
    """Return which run a message is about, without reading it."""
    return message[: _FENCE.size]


def report_to_bytes(report: Report) -> bytes:
    """Return the message a runner sends about a job it was given."""
    if isinstance(report, Outcome):
        return _outcome_to_bytes(report)
    kind, rest = (_REMARK, report.note) if isinstance(report, Remark) else (_REFUSAL, report[2:])
    return fence(report.job_id, report.token) + kind + _encode(rest).encode()


def report_from_bytes(message: bytes, job_id: UUID | None = None) -> Report:
    """Return the report of a message.

    Args:
        job_id: which job it is about, where that is known already; making another id takes a while.
    """
    kind = message[_KIND]
    if kind == _OUTCOME:
        return _outcome_from_bytes(message, job_id)
    job, token = _FENCE.unpack_from(message)
    rest, job_id = json.loads(message[_KIND.stop :]), job_id or UUID(bytes=job)
    if kind == _REFUSAL:
        return Refusal(job_id, token, *rest)
    progress, meta, log = rest
    return Remark(job_id, token, Note(progress and Progress(*progress), meta, log))


def _outcome_to_bytes(outcome: Outcome) -> bytes:
    end = _END.pack(
        outcome.job_id.bytes,
        outcome.token,
        _OUTCOME,
        _PLACES[outcome.outcome],
        outcome.started_ns,
        outcome.finished_ns,
    )
    if outcome.error is not None or outcome.retry_in is not None:
        end += _encode([outcome.retry_in, outcome.error and _parts(outcome.error)]).encode()
    return end if outcome.result_data is None else end + _BREAK + outcome.result_data.encode()


def _outcome_from_bytes(message: bytes, job_id: UUID | None) -> Outcome:
    job, token, _, place, started_ns, finished_ns = _END.unpack_from(message)
    retry_in = error = result_data = None
    if len(message) > _END.size:
        few, has_result, result = message[_END.size :].partition(_BREAK)
        retry_in, error = _few(few)
        result_data = result.decode() if has_result else None
    return Outcome(
        job_id or UUID(bytes=job),
        token,
        _OUTCOMES[place],
        retry_in,
        result_data,
        error,
        started_ns,
        finished_ns,
    )


def _parts(error: ErrorReport) -> list[str]:
    return [error.kind, error.exception_type, error.message, error.traceback, error.fingerprint]


def _few(encoded: bytes) -> tuple[float | None, ErrorReport | None]:
    if not encoded:
        return None, None
    retry_in, error = json.loads(encoded)
    return retry_in, error and ErrorReport(ErrorKind(error[0]), *error[1:])
