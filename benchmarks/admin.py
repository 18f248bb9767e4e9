"""What the admin's pages cost beside many jobs: `python -m benchmarks.admin [database] [--jobs N]`.

Each page is opened through the whole of Django, without a network, as a superuser does; its time is the
best of several, because whatever else the machine does only makes it slower. All jobs of a status are due
at one moment, as `enqueue_many` leaves them: that is the worst case for their order. Then all dead jobs, a
tenth of all there are, are requeued by one action.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks.bench import DATABASES, fresh_project, machine

OPENED = 10
MOST_TIME, MOST_QUERIES = 300.0, 8
LIST = "/admin/django_jobs/job/"
LISTS = {
    "list of jobs": LIST,
    "its last page": f"{LIST}?p=200",
    "one status": f"{LIST}?status=completed",
    "a rare status": f"{LIST}?status=running",
    "one queue": f"{LIST}?queue=served+1",
    "one function": f"{LIST}?function=benchmarks.project.jobs.no_op",
    "status and queue": f"{LIST}?status=dead&queue=served+1",
    "search": f"{LIST}?q=no_op",
    "search in vain": f"{LIST}?q=nothing",
}


def main() -> None:
    """Measure one database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=100_000)
    options = parser.parse_args()
    with fresh_project(options.database):
        raise SystemExit(0 if measure(options.jobs) else 1)


def measure(jobs: int) -> bool:
    """Print the figures; return whether the lists of jobs are within the bounds."""
    from django.test import Client

    from benchmarks import ballast
    from django_jobs.models import Job

    print(f"{machine()}\n{jobs:,} jobs", flush=True)
    ballast.load_every_status(jobs)
    ballast.analyze()
    client = Client(headers={"host": "localhost"})
    client.force_login(_superuser())
    good = [_figure(client, name, url) for name, url in LISTS.items()]
    job = Job.objects.dead()[0]
    for name, url in {
        "page of a job": f"{LIST}{job.pk}/change/",
        "queues": "/admin/django_jobs/queue/",
        "workers": "/admin/django_jobs/workerprocess/",
    }.items():
        _figure(client, name, url)
    _requeue_all(client, str(job.pk))
    return all(good)


def _superuser() -> Any:
    from django.contrib.auth.models import User

    return User.objects.create_superuser("ada")


def _figure(client: Any, name: str, url: str) -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    best = min(_opened(client, url) for _ in range(OPENED))
    with CaptureQueriesContext(connection) as captured:
        _opened(client, url)
    print(f"{name:20} {best:6.1f} ms, {len(captured)} queries", flush=True)
    return best <= MOST_TIME and len(captured) <= MOST_QUERIES


def _opened(client: Any, url: str) -> float:
    began = time.perf_counter()
    response = client.get(url)
    took = time.perf_counter() - began
    if response.status_code != 200:
        raise SystemExit(f"{url}: {response.status_code}")
    return took * 1000


def _requeue_all(client: Any, key: str) -> None:
    import resource

    from django.contrib.messages import get_messages

    data = {"action": "requeue", "_selected_action": key, "index": "0", "select_across": "1"}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    response = client.post(f"{LIST}?status=dead", data)
    took = time.perf_counter() - began
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    said = [str(each) for each in get_messages(response.wsgi_request)]
    print(f"requeue all dead     {took:.1f} s, {more:.0f} MB more: {' '.join(said)}", flush=True)


if __name__ == "__main__":
    main()
