"""What the browser finds in the admin: a job of every kind, as the engines leave them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.utils import timezone

from django_jobs.models import Attempt, Job, JobError, JobNote, Queue, WorkerProcess
from tests.browser.names import PASSWORD, USER

WORKER = "web-1.example.com:4711:5f0c2a"
GONE = "web-2.example.com:88:00ab1c"
NOW = timezone.now()
TRACEBACK = "Traceback (most recent call last):\n" + "".join(
    f'  File "/srv/guide/airports/step_{line}.py", line {line * 7}, in step_{line}\n'
    f"    return follow(photograph, size=size, attempts_so_far={line}, and_a_rather_long_name_for_it=None)\n"
    for line in range(1, 40)
)
LOG = "".join(f"12:00:{second:02d} read row {second * 500} of airports.csv\n" for second in range(60))


def _id(number: int) -> UUID:
    """Return a UUIDv7 of this morning, the same for the same number within one run."""
    milliseconds = int((NOW - timedelta(hours=2)).timestamp() * 1000) + number
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | number)


def _job(number: int, function: str, status: str, **columns: Any) -> Job:
    given = {"queue": "default", "run_after": NOW - timedelta(minutes=number), "timeout": 300.0}
    args = json.dumps({"args": columns.pop("args", []), "kwargs": columns.pop("kwargs", {})})
    return Job.objects.create(
        id=_id(number), function=function, status=status, args=args, **{**given, **columns}
    )


def _run(job: Job, number: int, outcome: str, *, trouble: str = "", **columns: Any) -> None:
    begun = NOW - timedelta(minutes=50 - number)
    ended = begun + timedelta(seconds=2.25 * number)
    run = {"job": job, "token": number, "round": 1, "number": number, "worker_id": WORKER}
    Attempt.objects.create(**run, outcome=outcome, started_at=begun, finished_at=ended, **columns)
    if trouble:
        kind, name, message = trouble.split("|")
        JobError.objects.create(
            **run, kind=kind, exception_type=name, message=message, traceback=f"{TRACEBACK}{name}: {message}",
            fingerprint="0123456789abcdef", failed_at=ended, duration=2.25 * number,
        )  # fmt: skip


def dead() -> Job:
    """A job that failed in three ways."""
    error = "PIL.UnidentifiedImageError: cannot identify image file 'photos/cape_agulhas_at_dawn.jpg'"
    job = _job(
        1, "airports.make_thumbnail", "dead", queue="photos", attempts=3, error=error,
        args=["cape_agulhas_at_dawn"], kwargs={"size": "medium"}, options='{"retry_delay": [10, 30, 60]}',
    )  # fmt: skip
    _run(job, 1, "timed out", trouble="timeout|django_jobs.exceptions.HardTimeout|ran longer than 5 s")
    _run(job, 2, "crashed", trouble="crash|django_jobs.exceptions.Crashed|ended by signal 9")
    name, message = error.split(": ", 1)
    _run(job, 3, "failed", trouble=f"exception|{name}|{message}", log="opened the file\nread 4 bytes")
    return job


def completed() -> Job:
    """A job that is done at its second attempt."""
    result = json.dumps({"imported": 500, "rejected": [{"line": 17, "reason": "no latitude"}]})
    job = _job(
        2, "airports.import_airports", "completed", queue="imports", attempts=2, result_data=result,
        args=["airportsdata", 4500, 500],
    )  # fmt: skip
    _run(job, 1, "failed", trouble="exception|django.db.utils.OperationalError|database is locked")
    _run(job, 2, "completed", log=LOG)
    return job


def running() -> Job:
    """A job that says how far it is."""
    job = _job(
        3, "airports.find_lonely_airports", "running", queue="reckoning", worker_id=WORKER, claim_token=9,
        started_at=NOW - timedelta(seconds=42), lease=NOW + timedelta(seconds=50), args=[400],
    )  # fmt: skip
    JobNote.objects.create(
        job=job, token=9, updated_at=NOW, progress_current=130, progress_total=400,
        progress_note="measuring Tristan da Cunha", meta='{"farthest_km": 2437}', log=LOG,
    )  # fmt: skip
    return job


def waiting() -> Job:
    """A job that has not run."""
    return _job(6, "reports.mail_monthly_report", "waiting", queue="mail", holds=1, reason="dependency")


def cancelled() -> Job:
    """A job that can be put back in place."""
    return _job(7, "hanging.sleep", "cancelled", queue="hanging", priority=-10)


def others() -> None:
    """A job of every other status, and some that are hard to show."""
    _job(4, "weather.import_weather", "scheduled", queue="weather", attempts=1, priority=50,
         run_after=NOW + timedelta(hours=3), reason="retry",
         error="weather.exceptions.TooBusy: 429 Too Many Requests: come back in three hours")  # fmt: skip
    _job(5, "reports.mail_monthly_report", "ready", queue="mail")
    _job(8, "guide.deeply.nested.packages.of_the_very_long_kind.a_function_whose_name_has_no_end", "ready",
         queue="a-queue-whose-name-is-as-long-as-one-can-be-before-anybody-asks-why-it-is-so")  # fmt: skip
    _job(9, "shop.<script>alert(1)</script>" + "\u202egnp.exe", "dead", queue="مرحبا", attempts=3,
         error="ValueError: " + "unbroken" * 60)  # fmt: skip
    for number in range(100, 112):
        _job(number, "airports.import_airports", "completed", queue="imports", attempts=1)


def workers() -> None:
    """One that is alive and one that was killed."""
    long = ", ".join(f"queue-number-{number}" for number in range(12))
    # Seen in an hour: it stays alive for as long as the tests take.
    for name, seen, queues in [(WORKER, -3600, "all queues"), (GONE, 4000, long)]:
        host, pid, _ = name.split(":")
        WorkerProcess.objects.create(
            id=name, hostname=host, pid=int(pid), queues=queues, slots=4, version="0.1.0",
            started_at=NOW - timedelta(hours=9), seen_at=NOW - timedelta(seconds=seen),
        )  # fmt: skip


def make() -> dict[str, str]:
    """Write everything; return the addresses of the pages about single rows, below the admin's."""
    User.objects.create_superuser(USER, password=PASSWORD)
    kinds = (dead, completed, running, waiting, cancelled)
    jobs = {kind.__name__: kind() for kind in kinds}
    others()
    workers()
    Queue.objects.create(name="mail", paused_at=NOW - timedelta(days=2))
    pages = {f"{name} job": f"job/{job.pk}/change/" for name, job in jobs.items()}
    pages["attempt"] = f"attempt/{jobs['completed'].attempt_set.latest('id').pk}/change/"
    pages["error"] = f"joberror/{jobs['dead'].errors.latest('id').pk}/change/"
    pages["history"] = f"job/{jobs['dead'].pk}/history/"
    pages["worker"] = f"workerprocess/{quote(WORKER)}/change/"
    return pages
