"""What jobs are given by cloudpickle: loaded by runners alone, and only when it is known who wrote it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from django_jobs.models import Job, JobError
from tests import jobs
from tests import jobs_that_misbehave as misbehaving
from tests.processes.conftest import Ledger, Start
from tests.serializers.making import PLACE

pytestmark = pytest.mark.django_db(transaction=True)


class Canary:
    """Leaves a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def spoil(job: Job, **columns: str) -> None:
    Job.objects.filter(pk=job.pk).update(**columns)


def test_a_lambda_goes_to_the_worker_and_what_it_makes_comes_back(start_worker: Start) -> None:
    rate = 2
    made = jobs.apply.enqueue_many([(lambda number: {number * rate}, number) for number in (21, 22)])
    start_worker("--burst").wait()
    assert [job.result(timeout=0) for job in made] == [{42}, {44}]


def test_no_worker_loads_what_nobody_has_signed_and_it_goes_on(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    sung = tmp_path / "sung"
    heard, flipped, moved, elsewhere, off = jobs.apply.enqueue_many([(len, Canary(sung))] * 5)
    spoil(flipped, args=flipped.args[:-9] + flipped.args[-9].swapcase() + flipped.args[-8:])
    spoil(moved, args=heard.args)
    spoil(elsewhere, function="tests.jobs.echo")
    spoil(off, function="tests.jobs.echo", args=heard.args)
    spoil(heard, status="cancelled")
    good = misbehaving.note.using(priority=-1).enqueue(str(ledger), "good")
    worker = start_worker("--processes", "1")
    worker.until_final(good)
    worker.until(lambda: Job.objects.dead().count() == 4)
    assert set(JobError.objects.values_list("kind", flat=True)) == {"serialization"}
    assert not sung.exists()
    assert ledger.lines == ["good"]
    assert worker.stop() == 0
    heard.requeue()
    start_worker("--burst").wait()
    assert sung.exists()


def test_a_serializer_of_ones_own_is_called_by_runners_and_never_by_the_worker_itself(
    start_worker: Start, settings: Any, tmp_path: Path
) -> None:
    options = {"serializer": f"{PLACE}Witness", "on_failure": "tests.jobs.echo"}
    settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": options}
    good = jobs.echo.enqueue("good")
    jobs.fail.using(max_attempts=1).enqueue()
    worker = start_worker("--burst", DEFAULT_OPTIONS=options)
    worker.wait()
    assert good.result(timeout=0) == [["good"], {}]
    # Its arguments the worker itself has written, with the outcome of the dead one.
    told = Job.objects.exclude(pk=good.pk).get(function=jobs.echo.name)
    assert told.status == "completed"
    calls = [line.split() for path in tmp_path.glob("*.calls") for line in path.read_text().splitlines()]
    assert sorted({what for _, what in calls}) == ["dumps", "loads"]
    assert str(worker.pid) not in {pid for pid, _ in calls}


def test_a_class_that_is_gone_fails_its_attempt_and_the_worker_goes_on(
    start_worker: Start, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("was_here_once")
    exec("class Order: pass", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    gone = jobs.apply.using(max_attempts=2).enqueue(len, module.Order())
    unstorable = jobs.apply.using(max_attempts=1).enqueue(lambda: __import__("threading").Lock())
    good = misbehaving.note.using(priority=-1).enqueue(str(ledger), "good")
    start_worker("--burst").wait()
    for job in (gone, unstorable, good):
        job.refresh_from_db()
    assert (gone.status, gone.attempts, unstorable.status, good.status) == ("dead", 2, "dead", "completed")
    assert "No module named 'was_here_once'" in str(gone.error)
    assert "the result cannot be stored: the value is refused by cloudpickle" in str(unstorable.error)
    assert set(JobError.objects.values_list("kind", flat=True)) == {"serialization"}
