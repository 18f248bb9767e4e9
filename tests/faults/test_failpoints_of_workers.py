"""A worker's process or connection is lost at each point of what it does: its job ends as written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_jobs.models import Attempt, Counter, Job, JobError, JobNote, ResultExpiry, WorkerProcess
from tests.faults.accounts import Accounts
from tests.faults.failpoints.points import AMID, CUT, EXIT_CODE, POINTS, Stage
from tests.faults.failpoints.processes import Forked, Stable
from tests.faults.failpoints.scenes import SCENES, USUAL, Play, Scene
from tests.faults.failpoints.table import HEARD, TABLE, End
from tests.faults.reckoning import broken
from tests.tiers import TIER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

SAMPLE = {("ack", "after", "cut"), ("claim", "after", "exit")}
IMPORTS = ["tests.jobs_that_misbehave", "tests.receivers"]


@pytest.fixture
def stable(subprocess_environment: dict[str, str], tmp_path: Path) -> Iterator[Stable]:
    """Return what forks this test's processes."""
    made = Stable(Stage(tmp_path), subprocess_environment)
    yield made
    made.end()


def test_the_table_has_every_point_of_workers() -> None:
    assert set(TABLE) == {name for name, point in POINTS.items() if point.dies != "client"}
    assert set(SCENES) <= set(TABLE)


@pytest.mark.parametrize("name", sorted(TABLE) if TIER else sorted({name for name, _, _ in SAMPLE}))
def test_a_job_ends_as_it_was_written_down(stable: Stable, name: str) -> None:
    scene = SCENES.get(name, USUAL)
    for place, fault, end in TABLE[name].ends():
        if (name, place) == ("claim", AMID) and connection.vendor == "postgresql":
            continue  # there it is one statement, with nothing in the middle
        if TIER or (name, place, fault) in SAMPLE:
            _forget_all(stable.stage)
            play = Play(stable.stage, (name, place, fault))
            _play(stable, scene, play)
            assert _found(play, end) == end, play.point
            assert list(_wrong(play, end)) == [], play.point


def _forget_all(stage: Stage) -> None:
    stage.ledger.path.unlink(missing_ok=True)
    for model in (Attempt, Counter, Job, JobError, JobNote, ResultExpiry, WorkerProcess):
        model.objects.all().delete()


def _play(stable: Stable, scene: Scene, play: Play) -> None:
    scene.prepare(play)
    if not scene.arms:
        stable.stage.arm(*play.point)
    worker = _start(stable, play, begun=scene.begun, **scene.settings)
    scene.meanwhile(play, worker)
    worker.until(lambda: stable.stage.fired, why=f"{play.point} was not reached")
    died = play.ends_the_worker
    if died:
        assert worker.wait() == EXIT_CODE
    scene.then(play, worker)
    if died:
        _end_leases()
    others = [_start(stable, play)] if died or scene.helped else []
    worker.until(lambda: scene.over(play), why=f"it does not end after {play.point}")
    if not died:
        assert (worker.wait() if scene.stops else worker.stop()) == 0
    assert [other.stop() for other in others] == [0] * len(others)


def _start(stable: Stable, play: Play, **settings: Any) -> Forked:
    heard = {"TEST_HEARD": "job_completed", "TEST_RECEIVERS": str(play.heard)}
    told = {"environment": heard, "IMPORTS": IMPORTS} if play.point[0] == "event delivery" else {}
    return stable.worker("--processes", "1", PRUNE_INTERVAL=0.1, **told, **settings)


def _end_leases() -> None:
    """Let the time pass that a claim is good for."""
    Job.objects.running().update(lease=timezone.now() - timedelta(hours=1))


def _found(play: Play, expected: End) -> End:
    """Return how it has ended; where its code may have begun more or less often, as expected if it is so."""
    starts = sum(entry.event == "START" and entry.job == str(play.job) for entry in play.stage.ledger.lines())
    return End(
        status=play.rows().values_list("status", flat=True).first() or "",
        attempts=tuple(_of(Attempt, play).order_by("finished_at").values_list("outcome", flat=True)),
        starts=expected.starts if starts in expected.starts else (starts,),
        errors=tuple(_of(JobError, play).order_by("failed_at").values_list("kind", flat=True)),
    )


def _of(model: Any, play: Play) -> Any:
    return model.objects.filter(job_id=play.job)


def _wrong(play: Play, end: End) -> Iterator[str]:
    """Yield whatever else is not as it must be behind every point."""
    for model in (Attempt, JobError, JobNote, ResultExpiry):
        if left := model.objects.exclude(job__in=Job.objects.values("pk")).count():
            yield f"{left} {model.__name__} without a job"
    if end.attempts:
        for job in Job.objects.all():
            play.stage.ledger.write("ENQUEUED", job.pk)
        yield from broken(Accounts.read(play.stage.ledger))
        counted, runs = sum(Counter.objects.values_list("runs", flat=True)), Attempt.objects.count()
        # SQLite's driver says of a lost connection what it says of rows it does not take, and statistics of
        # rows that are not taken are given up.
        given_up = play.point[::2] == ("count", CUT) and connection.vendor == "sqlite"
        if counted != runs and not given_up:
            yield f"{runs} runs were counted as {counted}"
    if end.status == "dead" and Job.objects.completed().count() != 1:
        yield f"{Job.objects.completed().count()} jobs answer for the dead one"
    if end.status == "completed" and not end.attempts and play.rows().get().result_data is not None:
        yield "its result is still there"
    if play.point[0] == "event delivery" and play.times_heard != HEARD[play.point[1:]]:
        yield f"it was heard of {play.times_heard} times"
