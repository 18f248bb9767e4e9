"""Rescued runs are counted by whoever rescues them, once."""

from __future__ import annotations

import pytest

from django_jobs.duties.rescue import Rescue
from django_jobs.engines import engine_for
from django_jobs.engines.rows import Held, Started
from django_jobs.engines.tally import Tally
from django_jobs.models import Counter
from tests.engines.conformance.making import NOW, TOKEN, after, running


@pytest.mark.django_db(transaction=True)
def test_a_rescued_run_is_counted_once_and_without_times() -> None:
    engine = engine_for("default")
    crashed = running(engine)
    running(engine, token=2, queue="mail")
    engine.start([Started(Held(crashed.id, TOKEN), NOW)])
    duty = Rescue(interval=5, tally=Tally("rescuer"))
    for _ in range(2):
        duty.run(engine, now=after(61))
    columns = ("worker_id", "queue", "outcome", "runs", "run_histogram")
    assert sorted(Counter.objects.values_list(*columns)) == [
        ("rescuer", "default", "crashed", 1, "{}"),
        ("rescuer", "mail", "interrupted", 1, "{}"),
    ]
