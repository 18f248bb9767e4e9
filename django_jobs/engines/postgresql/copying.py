"""Many new jobs at once by COPY: the server stores the first ones while the next are still written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.backends.postgresql.psycopg_any import is_psycopg3

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import NewJob
from django_jobs.states import Status

COPY = f"COPY django_jobs_job ({', '.join(NewJob._fields)}) FROM STDIN"

# psycopg 2 can copy from files only.
AVAILABLE: bool = is_psycopg3
# A statement that takes so many stays far below the least statement_timeout that anybody has.
ROWS = 10_000
# So many lines are sent at a time; each may have arguments of 256 KiB.
_LINES = 100
_ARGS = NewJob._fields.index("args")
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def copy(connection: Any, jobs: Sequence[NewJob]) -> None:
    """Store them; whoever calls has opened a transaction."""
    for part in batches(jobs, size=ROWS):
        with connection.cursor() as cursor:
            copied: Callable[..., None] = partial(_copy, part)
            # As `execute` does: who watches or forbids statements by `execute_wrapper` meets this one too.
            for wrapper in reversed(connection.execute_wrappers):
                copied = partial(wrapper, copied)
            copied(COPY, None, False, {"connection": connection, "cursor": cursor})


def _copy(jobs: Sequence[NewJob], sql: str, params: None, many: bool, context: Mapping[str, Any]) -> None:
    # Errors are not wrapped by themselves, as `execute` does: what `copy` raises is the driver's own.
    with context["connection"].wrap_database_errors, context["cursor"].copy(sql) as to:
        for some in batches(jobs, size=_LINES):
            to.write("".join(_lines(some)))


def _lines(jobs: Sequence[NewJob]) -> Iterator[str]:
    known: tuple[Any, ...] | None = None
    before = behind = ""
    for job in jobs:
        # All but id and arguments is the same for the jobs of one call: written once.
        others = (*job[1:_ARGS], *job[_ARGS + 1 :])
        if others != known:
            before, behind = _columns(job[1:_ARGS]), _columns(job[_ARGS + 1 :])
            known = others
        yield f"{job.id.hex}\t{before}\t{job.args.translate(_ESCAPES)}\t{behind}\n"


def _columns(values: Sequence[Any]) -> str:
    return "\t".join(map(_column, values))


def _column(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value.value if isinstance(value, Status) else value).translate(_ESCAPES)
