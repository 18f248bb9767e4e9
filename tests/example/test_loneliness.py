"""Which airports are farthest from all others, found by a job that takes its time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from django_jobs import CancelRequested, PermanentError
from django_jobs.context import running
from django_jobs.notebook import Notebook
from example_project.airports.jobs import find_lonely_airports, import_airports
from example_project.airports.loneliness import Place, nearest
from tests.test_retries import JOB

FRANKFURT = Place.at("EDDF", 50.026389, 8.543333)
BERLIN = Place.at("EDDB", 52.362247, 13.500672)
SYDNEY = Place.at("YSSY", -33.946111, 151.177222)


def test_the_nearest_is_found_with_its_distance_over_ground() -> None:
    found = nearest(FRANKFURT, [FRANKFURT, SYDNEY, BERLIN])
    assert found is not None
    assert (found.code, found.next) == ("EDDF", "EDDB")
    assert found.km == pytest.approx(430, abs=10)


def test_the_far_side_of_the_earth_is_reached() -> None:
    found = nearest(Place.at("NORTH", 90, 0), [Place.at("SOUTH", -90, 0)])
    assert found is not None
    assert found.km == pytest.approx(20_015, abs=1)


def test_an_airport_alone_has_no_neighbour() -> None:
    assert nearest(FRANKFURT, [FRANKFURT]) is None


@pytest.mark.django_db
def test_the_loneliest_come_first_and_the_result_can_be_stored() -> None:
    import_airports("closed_airports.csv", 0, 500)
    result = find_lonely_airports(10)
    assert (result["looked_at"], result["of"]) == (4, 4)
    assert result["loneliest"][0]["code"] == "VHHX"
    assert [set(each) for each in result["loneliest"]] == [{"km", "code", "next"}] * 4


@pytest.mark.django_db
def test_without_airports_nothing_is_found() -> None:
    assert find_lonely_airports(10) == {"looked_at": 0, "of": 0, "loneliest": []}


@pytest.mark.django_db
def test_a_sample_is_spread_over_all_and_the_job_tells_how_far_it_is() -> None:
    import_airports("airportsdata", 0, 100)
    run = replace(JOB, notebook=Notebook())
    with running(run):
        assert find_lonely_airports(10)["looked_at"] == 10
    assert str(run.notebook.note[0]).startswith("10 of 10 (100 %), ")


@pytest.mark.django_db
def test_it_ends_when_somebody_wants_it_cancelled() -> None:
    import_airports("closed_airports.csv", 0, 500)
    with running(replace(JOB, cancel_asked=lambda: True)), pytest.raises(CancelRequested):
        find_lonely_airports(10)


@pytest.mark.django_db
def test_when_its_time_is_over_it_returns_what_it_has_found() -> None:
    import_airports("closed_airports.csv", 0, 500)
    with running(replace(JOB, soft_ends_ns=0)):
        assert find_lonely_airports(10) == {"looked_at": 0, "of": 4, "loneliest": []}


@pytest.mark.django_db
def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(PermanentError, match="sample of 0"):
        find_lonely_airports(0)
