"""Text that nobody should ever have stored, and rows full of it."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from django_jobs.models import Attempt, Job, JobError, JobNote, Queue, WorkerProcess
from django_jobs.serializers.limits import clean
from tests.admin.conftest import NOW

STRINGS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "\"><img src=x onerror='alert(1)'>",
    "'><svg/onload=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</textarea><b>",
    "</title><h1>",
    "</bdi></pre></details><form action=//evil.example>",
    "<!-- hostile",
    "--><script>alert(1)</script>",
    "<![CDATA[<x>]]>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<style>*{display:none}</style>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content=0>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "&lt;script&gt;&amp;",
    "&#60;script&#62;",
    "{{ 7|add:7 }}{% now 'Y' %}{# #}",
    "{{ request.META }}",
    "%s %(count)d %n %",
    "{0} {} {a.b} {{}}",
    "$(touch x) `id` ; --",
    "' OR '1'='1",
    "\\u003cscript\\u003e\\",
    "\u202egnp.exe",
    "\u2066isolated\u2069\u200f\u200b\ufeff",
    "مرحبا بالعالم",
    "🦆👩‍👩‍👧‍👦🏳️‍🌈",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    clean("NUL \x00 and half a pair \ud800"),
    "line one\nline two\r\n\tthree\x1b[31m\x07",
    " \u00a0\u2003 ",
    "x" * 10_000,
    "<" * 10_000,
]


def fitting(value: str, model: type[Model], column: str) -> str:
    """Return as much of a text as a column takes."""
    return value[: getattr(model._meta.get_field(column), "max_length", None)]


def row(model: type[Model], value: str, *columns: str, **others: Any) -> Any:
    """Store a row with a text in these columns."""
    texts = {column: fitting(value, model, column) for column in columns}
    return model._default_manager.create(**texts, **others)


def family(value: str) -> dict[str, Any]:
    """Store a row of everything, with a text in every column that takes one."""
    said = ("function", "queue", "reason", "worker_id", "error", "args", "options", "result_data")
    run = {"token": 1, "round": 1, "number": 1}
    strange = row(Job, value, "status", *said, run_after=NOW)
    job = row(Job, value, *said, status="running", claim_token=1, started_at=NOW, lease=NOW, run_after=NOW)
    row(JobNote, value, "progress_note", "meta", "log", job=job, token=1, updated_at=NOW, progress_current=1)
    return {
        "strange": strange,
        "job": job,
        "attempt": row(Attempt, value, "outcome", "worker_id", "log", job=job, finished_at=NOW, **run),
        "joberror": row(
            JobError,
            value,
            "kind",
            "exception_type",
            "message",
            "traceback",
            "fingerprint",
            "worker_id",
            job=job,
            failed_at=NOW,
            **run,
        ),
        "queue": row(Queue, value, "name", paused_at=NOW),
        "workerprocess": row(
            WorkerProcess,
            value,
            "id",
            "hostname",
            "queues",
            "version",
            pid=7,
            slots=1,
            started_at=NOW,
            seen_at=NOW,
        ),
    }
