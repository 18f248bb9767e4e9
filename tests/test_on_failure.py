"""`on_failure`, from where it is written to the row; what the engines make of it is tested with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings

from django_jobs import UnknownJobFunction, job, registry
from django_jobs.models import Job
from django_jobs.options import CALL, DECORATOR, SETTINGS, OnFailure, Options, StoredOptions, on_failure
from tests import jobs


@job(name="on_failure.alarm")
def alarm(job_id: object) -> None:
    """Be called for dead letters."""


@job(name="on_failure.work", on_failure=alarm)
def work() -> None:
    """Have one that is."""


@job(name="on_failure.idle")
def idle() -> None:
    """Take no id."""


def stored(row: Job) -> StoredOptions:
    return StoredOptions.load(row.options)


@pytest.mark.parametrize("place", [DECORATOR, CALL, SETTINGS])
@pytest.mark.parametrize("given", [alarm, "on_failure.alarm"])
def test_it_is_given_as_a_function_or_its_name_and_comes_back_from_the_row(place: str, given: Any) -> None:
    text = Options.of({"on_failure": given}, place=place).stored()
    assert StoredOptions.load(text).on_failure == "on_failure.alarm"
    assert on_failure(text, of="work") == OnFailure("on_failure.alarm", ("work",))


def test_none_at_the_call_replaces_that_of_the_decorator() -> None:
    assert work.using(on_failure=None).options.stored() is None


@pytest.mark.parametrize("given", [lambda job_id: None, 7, [alarm], b"on_failure.alarm"])
def test_what_is_no_job_function_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="a job function or the name of one"):
        Options.of({"on_failure": given}, place=DECORATOR)


@pytest.mark.parametrize("given", ["", "two words", "x" * 256, "a\0b"])
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        Options.of({"on_failure": given}, place=DECORATOR)


def test_a_function_cannot_answer_for_itself() -> None:
    with pytest.raises(ValueError, match=r"on_failure cannot be on_failure\.own itself"):
        job(lambda_with_a_name, name="on_failure.own", on_failure="on_failure.own")
    with pytest.raises(ValueError, match=r"on_failure cannot be on_failure\.alarm itself"):
        alarm.using(on_failure=alarm)
    assert "on_failure.own" not in registry.names()


def lambda_with_a_name(job_id: object) -> None:
    """Be no job function yet."""


@pytest.mark.parametrize(
    "text",
    [None, "{}", '{"on_failure": null}', '{"on_failure": 5}', '{"on_failure"', '{"on_failure": ""}', 7],
)
def test_a_row_that_tells_none_has_none(text: Any) -> None:
    assert on_failure(text, of="work") is None


def test_who_died_before_is_told_in_order() -> None:
    text = json.dumps({"on_failure": "c", "follows": ["a"]})
    assert on_failure(text, of="b") == OnFailure("c", ("a", "b"))


@pytest.mark.django_db
class TestEnqueue:
    def test_the_row_names_it(self) -> None:
        assert stored(work.enqueue()).on_failure == "on_failure.alarm"

    def test_a_name_that_nobody_has_is_refused_with_those_that_are_near(self) -> None:
        with pytest.raises(UnknownJobFunction, match=r"on_failure\.alarm") as raised:
            jobs.add.using(on_failure="on_failure.alarn").enqueue(1)
        assert "on_failure of tests.jobs.add" in raised.value.__notes__[0]
        assert not Job.objects.exists()

    def test_one_that_takes_no_id_is_refused(self) -> None:
        with pytest.raises(TypeError, match="positional") as raised:
            jobs.add.using(on_failure=idle).enqueue(1)
        assert "the id of the dead job" in raised.value.__notes__[0]

    @override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": {"on_failure": "on_failure.alarm"}})
    def test_the_projects_own_does_not_answer_for_itself(self) -> None:
        assert stored(jobs.add.enqueue(1)).on_failure == "on_failure.alarm"
        assert alarm.enqueue(1).options is None

    def test_a_replay_keeps_it(self) -> None:
        row = work.enqueue()
        Job.objects.filter(pk=row.pk).update(status="dead")
        again = row.replay()
        assert again is not None
        assert stored(again).on_failure == "on_failure.alarm"


def test_a_check_names_the_functions_whose_own_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {"on_failure.alarm": alarm, "on_failure.work": work})
    monkeypatch.setattr(registry, "_discovered", True)
    assert messages() == []
    monkeypatch.setattr(registry, "_functions", {"on_failure.work": work})
    with override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": {"on_failure": "gone.alarm"}}):
        assert messages() == [
            "on_failure names no job function: 'on_failure.alarm' of on_failure.work",
            "on_failure names no job function: 'gone.alarm' of DJANGO_JOBS[\"DEFAULT_OPTIONS\"]",
        ]


def messages() -> list[str]:
    return [each.msg for each in checks.run_checks(tags=["django_jobs"]) if each.id == "django_jobs.W006"]
