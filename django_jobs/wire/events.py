"""What the receivers of signals are to be told, on its way from the parent to the runner that tells them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, fields
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django_jobs.context import JobInfo
from django_jobs.outcomes import ErrorReport
from django_jobs.states import AttemptOutcome, ErrorKind

# The place of the runner that tells receivers: outside of the page of slips that those with jobs share.
EVENTS_SLOT = -2
# What a spoilt row holds may be no JSON.
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_FIELDS = tuple(field.name for field in fields(JobInfo))
_values = attrgetter(*_FIELDS)  # not astuple, which copies deeply
# Between two events. Each is JSON, which has no raw line break.
_BREAK = b"\n"


class Event(NamedTuple):
    """One signal to be sent; job is None where it is about a worker, details are its other arguments."""

    signal: str
    job: JobInfo | None
    details: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return the event as it travels."""
        job = self.job and [self.job.id.hex, *_values(self.job)[1:]]
        details = self.details
        if (error := details.get("error")) is not None:
            details = {**details, "error": astuple(error)}
        return _encode([self.signal, job, details]).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Event:
        """Return the event of a text."""
        signal, job, details = json.loads(text)
        if "error" in details:
            kind, *words = details["error"]
            details["error"] = ErrorReport(ErrorKind(kind), *words)
        if "outcome" in details:
            details["outcome"] = AttemptOutcome(details["outcome"])
        return cls(signal, job and _job(*job), details)


def batch_to_bytes(events: Sequence[bytes]) -> bytes:
    """Return several events as one message."""
    return _BREAK.join(events)


def batch_from_bytes(message: bytes) -> list[Event]:
    """Return the events of a message."""
    return [Event.from_bytes(each) for each in message.split(_BREAK)]


def _job(job_id: str, *rest: Any) -> JobInfo:
    return JobInfo(**dict(zip(_FIELDS, (UUID(job_id), *rest), strict=True)))
