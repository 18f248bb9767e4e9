"""Whether a claimed row can be a job at all. SQLite stores any type in any column, and people edit rows."""

from __future__ import annotations

import math
from typing import Any

from django_jobs.engines.rows import ClaimedJob
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime_ns

_INT, _NUMBERS = {int}, {int, float}
_MOST_COUNTED, _MOST_ATTEMPTS = 2**31 - 1, 2**15


def _text(value: Any) -> bool:
    # Bytes that were no UTF-8 have come as surrogates; what enqueue stored is ASCII.
    return isinstance(value, str) and (value.isascii() or value.encode("utf-8", "replace").decode() == value)


def _whole(value: Any) -> bool:
    return isinstance(value, int)


def _limit(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and 0 < value < math.inf)


def _count(value: Any) -> bool:
    # One more must have room in its column.
    return _whole(value) and 0 <= value < _MOST_COUNTED


def _attempts_at_most(value: Any) -> bool:
    # What its column holds elsewhere: with more, a job that fails would be run for ever.
    return _whole(value) and value < _MOST_ATTEMPTS


# column → (what is sound, what stands in for it where it is not, so that the end of the job can be written)
_SOUND: dict[str, tuple[Any, Any]] = {
    "function": (_text, ""),
    "queue": (_text, ""),
    "priority": (_whole, 0),
    "args": (_text, ""),
    "options": (lambda value: value is None or _text(value), None),
    "max_attempts": (_attempts_at_most, 1),
    "timeout": (_limit, None),
    "round": (_whole, 1),
    "attempts": (_count, 0),
    "interruptions": (_whole, 0),
}


def _is_plain(job: ClaimedJob) -> bool:
    """Return whether a row is sound at a glance, as nearly all are; what is not may be sound all the same."""
    _, function, queue, priority, _, args, options, most, timeout, round_, attempts, interruptions, *_ = job
    try:
        return (
            "".join((function, queue, args, "" if options is None else options)).isascii()
            and {type(priority), type(most), type(round_), type(attempts), type(interruptions)} == _INT
            and most < _MOST_ATTEMPTS
            and 0 <= attempts < _MOST_COUNTED
            and (timeout is None or (type(timeout) in _NUMBERS and 0 < timeout < math.inf))
        )
    except TypeError:
        return False


def flaws(job: ClaimedJob) -> dict[str, Any]:
    """Return the columns that make this row no job, with their values; empty for a sound one."""
    return {} if _is_plain(job) else _wrong_columns(job)


def _wrong_columns(job: ClaimedJob) -> dict[str, Any]:
    return {name: value for name, (sound, _) in _SOUND.items() if not sound(value := getattr(job, name))}


def buried(job: ClaimedJob, wrong: dict[str, Any]) -> tuple[ClaimedJob, Outcome]:
    """Return an unsound row made writable, and its outcome: dead at once, with the reason."""
    text = ", ".join(f"{name} is {value!r}"[:200] for name, value in wrong.items())
    error = ErrorReport(
        ErrorKind.STORAGE,
        "CorruptRow",
        f"the stored row cannot be a job: {text}",
        fingerprint=fingerprint("", "CorruptRow", ", ".join(wrong)),
    )
    now = boottime_ns()
    outcome = Outcome(job.id, job.token, AttemptOutcome.FAILED, error=error, started_ns=now, finished_ns=now)
    return job._replace(**{name: _SOUND[name][1] for name in wrong}), outcome
