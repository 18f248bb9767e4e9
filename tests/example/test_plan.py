"""A run of the demo: planned whole, continued while unfinished, begun anew when done."""

from __future__ import annotations

from collections import Counter

import pytest

from django_jobs import client
from django_jobs.models import Job
from example_project.airports.demo import plan, tally
from example_project.airports.jobs import import_airports
from example_project.airports.models import Airport, DemoRun, Import
from example_project.airports.reading import count_rows

pytestmark = pytest.mark.django_db


def finish(run: DemoRun) -> None:
    client.cancel([job.id for job in plan.jobs_of(run)])


def test_a_fresh_run_holds_every_job_once() -> None:
    run = plan.fresh_run()
    functions = Counter(job.function.rpartition(".")[2] for job in plan.jobs_of(run))
    batches = -(-count_rows("airportsdata") // plan.BATCH) + 2
    assert functions == {
        "import_airports": batches,
        "make_thumbnail": 24,
        "make_contact_sheet": 1,
        "import_weather": 7,
        "mail_monthly_report": 1,
    }
    assert len(run.doomed) == 9


def test_an_unfinished_run_is_continued() -> None:
    run = plan.fresh_run()
    assert plan.unfinished_run() == run


def test_a_finished_run_is_not_continued() -> None:
    finish(plan.fresh_run())
    assert plan.unfinished_run() is None


def test_a_fresh_run_clears_the_guide_and_keeps_the_jobs() -> None:
    first = plan.fresh_run()
    import_airports("airportsdata", 0, 5)
    finish(first)
    second = plan.fresh_run()
    assert not Airport.objects.exists()
    assert not Import.objects.exists()
    assert Job.objects.count() == 2 * plan.jobs_of(second).count()


def test_a_run_that_cannot_be_planned_leaves_the_guide_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import_airports("airportsdata", 0, 5)
    monkeypatch.setattr(plan, "count_rows", lambda source: int("broken"))
    with pytest.raises(ValueError, match="broken"):
        plan.fresh_run()
    assert Airport.objects.count() == 5
    assert not Job.objects.exists()


def test_progress_counts_final_jobs() -> None:
    run = plan.fresh_run()
    assert tally.progress(plan.jobs_of(run)).final == 0
    finish(run)
    assert tally.progress(plan.jobs_of(run)).finished


def test_a_job_that_did_not_end_as_expected_is_a_surprise() -> None:
    run = plan.fresh_run()
    finish(run)
    assert len(tally.surprises(run)) == plan.jobs_of(run).count()
    assert "is cancelled, not completed" in tally.surprises(run)[0]


def test_a_batch_that_nobody_imported_is_a_surprise() -> None:
    run = plan.fresh_run()
    Import.objects.create(source="elsewhere", first_row=0, rows=1, imported=1)
    assert tally.surprises(run)[-2:] == [
        "1 batches are in the guide, 0 jobs imported one",
        "0 airports are in the guide, 1 were reported",
    ]
