"""What a worker finds and what happens meanwhile, so that it comes by each of its points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from django_jobs import client
from django_jobs.models import Counter, Job, ResultExpiry, WorkerProcess
from django_jobs.states import FINAL, Status
from tests import jobs_that_misbehave as jobs
from tests.faults.failpoints.points import EXIT, POINTS, Stage
from tests.faults.failpoints.processes import Forked

_DAY = timedelta(days=1)
_COUNT = {"function": "f", "queue": "q", "outcome": "completed", "queue_seconds": 0.0, "run_seconds": 0.0}
_EMPTY = {"queue_histogram": "{}", "run_histogram": "{}"}


class Play:
    """One scene as it is played.

    Attributes:
        job: the id of the job it is about, if it is about one.
        point: what is armed: name, place and fault.
    """

    def __init__(self, stage: Stage, point: tuple[str, str, str], job: Any = None) -> None:
        self.stage, self.point, self.job = stage, point, job

    @property
    def go(self) -> Path:
        """The file that those wait for who hold."""
        return self.stage.folder / f"go-{'-'.join(self.point)}"

    @property
    def heard(self) -> Path:
        """Where receivers of signals write."""
        return self.stage.folder / f"heard-{'-'.join(self.point)}"

    @property
    def times_heard(self) -> int:
        """How often they have heard of the job's end."""
        return len(self.heard.read_text().splitlines()) if self.heard.exists() else 0

    @property
    def ends_the_worker(self) -> bool:
        """Whether it is the worker's own process that ends."""
        return self.point[2] == EXIT and POINTS[self.point[0]].dies == "worker"

    def enqueue(self, function: Any, *args: Any, **options: Any) -> None:
        """Enqueue the job that this is about."""
        # So that a job that crashed needs not be waited for.
        made = function.using(retry_delay=0.001, **options).enqueue(str(self.stage.ledger), *args)
        self.stage.ledger.write("ENQUEUED", made.pk)
        self.job = made.pk

    def rows(self) -> Any:
        """Return the job, as a query."""
        return Job.objects.filter(pk=self.job)

    def over(self) -> bool:
        """Whether all that there is is final, or gone."""
        return not Job.objects.exclude(status__in=FINAL).exists()


def _nothing(play: Play, worker: Forked) -> None:
    """Let it go on."""


def _arm(play: Play) -> None:
    play.stage.arm(*play.point)


@dataclass(frozen=True)
class Scene:
    """What is there before the worker is, what happens to it, and when all is over.

    Attributes:
        prepare: makes what the worker finds.
        meanwhile: happens once it has started; where `arms` it is what arms the point.
        then: happens once the point has failed.
        over: whether it has come to its end.
        helped: whether another worker comes, because this one does such a thing at long intervals only.
        stops: whether the worker is on its end when it comes by the point.
        begun: whether a run's start is stored, and at once; else it never is, however slow a machine is.
    """

    prepare: Callable[[Play], None] = lambda play: play.enqueue(jobs.run_on_record)
    meanwhile: Callable[[Play, Forked], None] = _nothing
    then: Callable[[Play, Forked], None] = _nothing
    over: Callable[[Play], bool] = Play.over
    arms: bool = False
    helped: bool = False
    stops: bool = False
    begun: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


def _hold(play: Play) -> None:
    play.enqueue(jobs.hold_on_record, str(play.go))


def _let_go(play: Play, worker: Forked) -> None:
    play.go.touch()


def _long_since_begun(play: Play, worker: Forked) -> None:
    """Wait until the job has run for so long that its start is stored: its death is charged from here on."""
    worker.until(lambda: play.rows().filter(started_at__isnull=False).exists())


def _arm_when_begun(play: Play, worker: Forked) -> None:
    _long_since_begun(play, worker)
    _arm(play)


def _cancel_when_begun(play: Play, worker: Forked) -> None:
    _arm_when_begun(play, worker)
    client.cancel([play.job])


def _stop_when_begun(play: Play, worker: Forked) -> None:
    _arm_when_begun(play, worker)
    worker.process.terminate()


def _stop_when_over(play: Play, worker: Forked) -> None:
    worker.until(play.over)
    worker.process.terminate()


def _nobody(play: Play) -> None:
    """Find nothing to do."""


def _enqueue_then(play: Play, worker: Forked) -> None:
    play.enqueue(jobs.run_on_record)


def _enqueue_when_it_is_noticed(play: Play, worker: Forked) -> None:
    """Enqueue when no runner of the nursery is left that could take it and be ended with it."""
    worker.until(lambda: "the nursery died" in worker.log)
    play.enqueue(jobs.run_on_record)


def _unknown(play: Play) -> None:
    play.enqueue(jobs.run_on_record)
    play.rows().update(function="tests.not_deployed_yet")


def _deploy(play: Play, worker: Forked) -> None:
    """Have its function known from now on, and the job due, once it is given back or nobody's."""
    play.rows().update(function=jobs.run_on_record.name)
    if worker.process.is_alive():
        worker.until(lambda: play.rows().filter(status=Status.SCHEDULED).exists())
    play.rows().filter(status=Status.SCHEDULED).update(run_after=timezone.now())


def _lost(play: Play) -> None:
    play.enqueue(jobs.run_on_record)
    ago = timezone.now() - _DAY
    claim = {"worker_id": "lost", "claim_token": 7, "lease": ago, "started_at": ago}
    play.rows().update(status=Status.RUNNING, **claim)


def _scheduled(play: Play) -> None:
    play.enqueue(jobs.run_on_record)
    play.rows().update(status=Status.SCHEDULED)


def _old(play: Play) -> None:
    play.enqueue(jobs.run_on_record)
    play.rows().update(status=Status.COMPLETED, run_after=timezone.now() - 30 * _DAY)
    ResultExpiry.objects.create(job_id=play.job, expires_at=timezone.now() + _DAY)


def _expired(play: Play) -> None:
    play.enqueue(jobs.run_on_record)
    play.rows().update(status=Status.COMPLETED, run_after=timezone.now(), result_data="1")
    ResultExpiry.objects.create(job_id=play.job, expires_at=timezone.now() - _DAY)


def _count(worker: str, runs: int, ago: timedelta) -> None:
    minute = (timezone.now() - ago).replace(second=0, microsecond=0)
    Counter.objects.create(minute=minute, worker_id=worker, runs=runs, **_COUNT, **_EMPTY)


def _closed_minute(play: Play) -> None:
    for worker, runs in (("one", 2), ("other", 3)):
        _count(worker, runs, timedelta(hours=1))


def _is_folded(play: Play) -> bool:
    return list(Counter.objects.values_list("worker_id", "runs")) == [("", 5)]


def _old_counter(play: Play) -> None:
    _count("", 5, 60 * _DAY)


def _old_worker(play: Play) -> None:
    row = {"hostname": "h", "pid": 1, "queues": "*", "slots": 1, "version": "0", "started_at": timezone.now()}
    WorkerProcess.objects.create(id="old", **row, seen_at=timezone.now() - _DAY)


def _die_once(play: Play) -> None:
    play.enqueue(jobs.die_once_on_record)


SCENES: dict[str, Scene] = {
    "ack of a cancelled run": Scene(_hold, _cancel_when_begun, arms=True, begun=True),
    "ack that retries": Scene(lambda play: play.enqueue(jobs.run_on_record, 0, 1)),
    # Nobody claims before that is over: a job that is there may be claimed in the same pass, before it.
    "appear": Scene(_nobody, then=_enqueue_then),
    "expire": Scene(_expired, over=lambda play: not ResultExpiry.objects.exists()),
    "fold": Scene(_closed_minute, over=_is_folded, helped=True),
    "forget workers": Scene(
        _old_worker, over=lambda play: not WorkerProcess.objects.filter(id="old").exists(), helped=True
    ),
    "note": Scene(_hold, _arm_when_begun, _let_go, arms=True, begun=True),
    "nursery fork": Scene(_nobody, then=_enqueue_when_it_is_noticed),
    "on_failure's insert": Scene(
        lambda play: play.enqueue(jobs.run_on_record, 0, 9, max_attempts=1, on_failure=jobs.answer_on_record)
    ),
    "promote": Scene(_scheduled),
    "prune": Scene(_old, over=lambda play: not Job.objects.exists()),
    "prune counters": Scene(_old_counter, over=lambda play: not Counter.objects.exists(), helped=True),
    "recount": Scene(_die_once),
    "release": Scene(_unknown, then=_deploy),
    # Its lease is renewed each second.
    "renew": Scene(_hold, _arm_when_begun, _let_go, arms=True, begun=True, settings={"LEASE": 4}),
    "rescue": Scene(_lost, helped=True),
    "run": Scene(lambda play: play.enqueue(jobs.read_on_record)),
    "shutdown": Scene(_hold, _stop_when_begun, _let_go, arms=True, begun=True, stops=True),
    "start stamp": Scene(_hold, then=_let_go, begun=True),
    "take apart": Scene(meanwhile=_stop_when_over, stops=True),
    "vanish": Scene(meanwhile=_stop_when_over, stops=True),
}
USUAL = Scene()
