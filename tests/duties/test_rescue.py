"""Rescued runs are counted by whoever rescues them, once; what is looked at is one's own clock on SQLite."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from django_jobs.duties import Done
from django_jobs.duties import rescue as rescue_module
from django_jobs.duties.rescue import Rescue
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.rows import Held, Rescued, Started
from django_jobs.engines.tally import Tally
from django_jobs.models import Counter, Job
from tests.engines.conformance.making import LEASE, NOW, TOKEN, after, running

pytestmark = pytest.mark.django_db(transaction=True)


class Rescuer:
    """The duty, and a clock of its own that the test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine_for("default")
        self.announced: list[Rescued] = []
        self.moment = 1000.0
        self.begin_anew()
        monkeypatch.setattr(rescue_module, "boottime", lambda: self.moment)

    def begin_anew(self) -> None:
        """Be another worker, which has seen nothing yet."""
        self.duty = Rescue(interval=5, lease=60, tally=Tally("rescuer"), announce=self.announced.extend)

    def turns(self, *, seconds: float, now: datetime) -> list[Done]:
        """Take a turn every five seconds; `now` is what the database's clock says at the last one."""
        count = int(seconds // 5) + 1
        moments = [now - timedelta(seconds=seconds - 5 * number) for number in range(count)]
        return [self._turn(moment) for moment in moments]

    def _turn(self, now: datetime) -> Done:
        done = self.duty.run(self.engine, now=now)
        self.moment += 5
        return done


@pytest.fixture
def rescuer(monkeypatch: pytest.MonkeyPatch) -> Rescuer:
    """Return the duty of a worker that has begun just now."""
    return Rescuer(monkeypatch)


def test_a_rescued_run_is_counted_once_and_without_times(rescuer: Rescuer) -> None:
    engine = rescuer.engine
    crashed = running(engine)
    running(engine, token=2, queue="mail")
    engine.start([Started(Held(crashed.id, TOKEN), NOW)])
    rescuer.turns(seconds=70, now=after(75))
    assert [job.id for job in rescuer.announced if job.status == "scheduled"] == [crashed.id]
    assert len(rescuer.announced) == 2
    columns = ("worker_id", "queue", "outcome", "runs", "run_histogram")
    assert sorted(Counter.objects.values_list(*columns)) == [
        ("rescuer", "default", "crashed", 1, "{}"),
        ("rescuer", "mail", "interrupted", 1, "{}"),
    ]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_host_whose_clock_is_set_has_a_lease_rescued_after_a_lease_and_no_sooner(
    rescuer: Rescuer, hours: int
) -> None:
    running(rescuer.engine)
    rescuer.turns(seconds=5, now=after(5))
    rescuer.turns(seconds=45, now=after(55) + timedelta(hours=hours))
    assert rescuer.announced == []
    rescuer.turns(seconds=0, now=after(60) + timedelta(hours=hours))
    assert len(rescuer.announced) == 1


@pytest.mark.only_on("sqlite")
def test_a_lease_that_is_renewed_to_an_earlier_end_is_another(rescuer: Rescuer) -> None:
    job = running(rescuer.engine)
    rescuer.turns(seconds=55, now=after(55))
    rescuer.engine.renew([Held(job.id, TOKEN)], lease=after(75) - timedelta(hours=1))
    rescuer.turns(seconds=50, now=after(110))
    assert rescuer.announced == []


@pytest.mark.only_on("sqlite")
def test_what_has_ended_by_the_clock_is_expected_until_it_is_rescued(rescuer: Rescuer) -> None:
    running(rescuer.engine)
    *waiting, last = rescuer.turns(seconds=60, now=after(600))
    assert all(done.expects and not done.made_ready for done in waiting)
    assert last.made_ready
    (idle,) = rescuer.turns(seconds=0, now=after(605))
    assert idle == Done()


@pytest.mark.only_on("sqlite")
def test_the_turn_in_which_a_lease_is_over_is_not_left_to_the_interval(rescuer: Rescuer) -> None:
    running(rescuer.engine)
    rescuer.turns(seconds=55, now=after(55))
    rescuer.moment -= 2
    (done,) = rescuer.turns(seconds=0, now=after(58))
    assert done.again_at == after(60)


@pytest.mark.only_on("sqlite")
def test_a_spoilt_lease_keeps_no_other_from_being_rescued(rescuer: Rescuer) -> None:
    good, *spoilt = (running(rescuer.engine, token=token) for token in range(1, 5))
    wrong: list[dict[str, Any]] = [{"lease": "soon"}, {"lease": b"\xff"}, {"claim_token": "none"}]
    from django.db import connection

    with connection.cursor() as cursor:
        for job, values in zip(spoilt, wrong, strict=True):
            ((column, value),) = values.items()
            cursor.execute(f"UPDATE django_jobs_job SET {column} = %s WHERE id = %s", (value, job.id.hex))
    rescuer.turns(seconds=60, now=after(600))
    # A lease that is none has ended, and a claim without a token is given one: else they would run for ever.
    assert {job.id for job in rescuer.announced} == {good.id, *(job.id for job in spoilt)}


@pytest.mark.only_on("postgresql", "mariadb")
def test_a_servers_clock_is_no_workers_and_is_believed(rescuer: Rescuer) -> None:
    assert not rescuer.engine.on_hosts_clock
    running(rescuer.engine)
    assert rescuer.turns(seconds=0, now=LEASE) == [Done()]
    rescuer.turns(seconds=0, now=after(61))
    assert len(rescuer.announced) == 1
    assert not Job.objects.filter(status="running").exists()
    assert isinstance(rescuer.engine, Engine)


@pytest.mark.only_on("sqlite")
def test_workers_that_each_live_for_less_than_a_lease_rescue_together(rescuer: Rescuer) -> None:
    running(rescuer.engine)
    rescuer.turns(seconds=30, now=after(600))
    rescuer.begin_anew()
    rescuer.turns(seconds=25, now=after(700))
    assert rescuer.announced == []
    rescuer.begin_anew()
    rescuer.turns(seconds=10, now=after(800))
    assert len(rescuer.announced) == 1


@pytest.mark.only_on("sqlite")
def test_a_renewal_ends_what_others_have_watched_together(rescuer: Rescuer) -> None:
    job = running(rescuer.engine)
    rescuer.turns(seconds=55, now=after(600))
    rescuer.engine.renew([Held(job.id, TOKEN)], lease=LEASE)
    rescuer.begin_anew()
    rescuer.turns(seconds=55, now=after(700))
    assert rescuer.announced == []


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("fraction", [".123", ".000000", ".5", "."])
def test_a_lease_that_somebody_else_has_written_ends(rescuer: Rescuer, fraction: str) -> None:
    job = running(rescuer.engine)
    from django.db import connection

    with connection.cursor() as cursor:
        written = f"2026-01-01 00:00:00{fraction}"
        cursor.execute("UPDATE django_jobs_job SET lease = %s WHERE id = %s", (written, job.id.hex))
    rescuer.turns(seconds=60, now=after(600))
    assert len(rescuer.announced) == 1
