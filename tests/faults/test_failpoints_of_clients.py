"""A program, or a person's request, is lost in the middle of what it asks for: all is done, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from django_jobs.models import Attempt, Job, JobError, Queue
from tests.faults.accounts import Accounts
from tests.faults.failpoints import clients
from tests.faults.failpoints.points import AFTER, AMID, EXIT, EXIT_CODE, FAULTS, PLACES, POINTS, Stage
from tests.faults.failpoints.processes import Stable
from tests.faults.reckoning import broken
from tests.tiers import TIER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

ALL = [
    (name, place, fault)
    for name in sorted(clients.DEEDS)
    for place in PLACES
    if place != AMID or name not in clients.AT_ONCE
    for fault in FAULTS
]
SAMPLE = ["bulk enqueue"]
LOST = 3  # the exit code of a client that was told that the database is lost


@pytest.fixture
def stable(subprocess_environment: dict[str, str], tmp_path: Path) -> Iterator[Stable]:
    """Return what forks this test's processes."""
    made = Stable(Stage(tmp_path), subprocess_environment)
    yield made
    made.end()


def test_the_table_has_every_point_of_clients() -> None:
    assert set(clients.DEEDS) == {name for name, point in POINTS.items() if point.dies == "client"}


@pytest.mark.parametrize("name", sorted(clients.DEEDS) if TIER else SAMPLE)
def test_what_was_asked_for_is_done_or_it_is_not(stable: Stable, name: str) -> None:
    deed = clients.DEEDS[name]
    for place, fault in [each[1:] for each in ALL if each[0] == name]:
        _start_anew()
        asked_of = deed.prepare(str(stable.stage.ledger))
        assert clients.described() == deed.undone
        _fail(stable, deed, asked_of, (name, place, fault))
        assert clients.described() == (deed.done if place == AFTER else deed.undone), (place, fault)
        if place != AFTER or name not in clients.ADDING:
            assert stable.client(deed.do, asked_of).wait() == 0
            assert clients.described() == deed.done, (place, fault, "and again")
    _run_all(stable)


def _start_anew() -> None:
    for model in (Attempt, Group, Job, JobError, LogEntry, Queue, User):
        model.objects.all().delete()
    User.objects.create_superuser("admin", password="admin")


def _fail(stable: Stable, deed: clients.Deed, asked_of: object, point: tuple[str, str, str]) -> None:
    """Have somebody ask, and be lost over it."""
    stable.stage.arm(*point)
    asking = stable.client(deed.do, asked_of)
    ended = asking.wait()
    assert stable.stage.fired, (point, "was not reached", asking.log)
    assert ended == (EXIT_CODE if point[2] == EXIT else LOST), (point, asking.log)


def _run_all(stable: Stable) -> None:
    """Have a worker do what there is to do, and look whether it has."""
    todo = Job.objects.ready().count() if not Queue.objects.exists() else 0
    for job in Job.objects.all():
        stable.stage.ledger.write("ENQUEUED", job.pk)
    if todo:
        assert stable.worker("--burst").wait() == 0
        assert Job.objects.completed().count() == stable.stage.ledger.count("START") == todo
        assert broken(Accounts.read(stable.stage.ledger)) == []
