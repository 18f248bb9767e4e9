"""The lists: what they show, how they filter, what they cost."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from django_jobs.admin import JobAdmin, filters, paging
from django_jobs.models import Attempt, Job, JobError
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened


@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_an_empty_list_opens(admin_client: Client, model: str) -> None:
    assert "0 " in opened(admin_client, list_url(model))


@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_a_list_offers_no_row_to_be_added_or_deleted(admin_client: Client, dead_job: Job, model: str) -> None:
    text = opened(admin_client, list_url(model))
    assert f"django_jobs/{model}/add/" not in text
    assert "delete_selected" not in text
    assert ('name="action"' in text) == (model == "job")


def test_a_status_is_a_word_and_a_sign(admin_client: Client, dead_job: Job) -> None:
    assert '<span aria-hidden="true">✕</span> dead' in opened(admin_client, list_url("job"))


def test_times_are_machine_readable(admin_client: Client, make_job: MakeJob) -> None:
    make_job()
    assert '<time datetime="2026-03-29T12:00:00+00:00">' in opened(admin_client, list_url("job"))


def test_the_list_shows_the_beginning_of_an_error(admin_client: Client, make_job: MakeJob) -> None:
    make_job(status="dead", error="ValueError: " + "x" * 5000)
    text = opened(admin_client, list_url("job"))
    assert "ValueError: xxx" in text
    assert "xxx…</bdi>" in text
    assert "x" * 200 not in text


def test_an_error_that_fits_is_shown_whole(admin_client: Client, make_job: MakeJob) -> None:
    make_job(status="dead", error="x" * 160)
    assert f">{'x' * 160}</bdi>" in opened(admin_client, list_url("job"))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=dead", {"dead.one", "dead.two"}),
        ("queue=mail", {"dead.two", "done.two"}),
        ("status=dead&queue=mail", {"dead.two"}),
        ("function=done.one", {"done.one"}),
        ("status=running", set()),
        ("queue=nobody", set()),
        ("q=dead", {"dead.one", "dead.two"}),
        ("q=DEAD&queue=mail", {"dead.two"}),
        ("q=nothing", set()),
    ],
)
def test_filters_and_search_narrow_the_list(
    admin_client: Client, make_job: MakeJob, query: str, shown: set[str]
) -> None:
    for function, status, queue in [
        ("dead.one", "dead", "default"),
        ("dead.two", "dead", "mail"),
        ("done.one", "completed", "default"),
        ("done.two", "completed", "mail"),
    ]:
        make_job(function=function, status=status, queue=queue)
    response = admin_client.get(list_url("job", query))
    assert {job.function for job in response.context["cl"].result_list} == shown


def test_search_finds_one_job_by_its_id(admin_client: Client, make_job: MakeJob) -> None:
    wanted, _ = make_job(function="wanted.one"), make_job(function="other.one")
    for term in [str(wanted.pk), f" {wanted.pk} ", wanted.pk.hex.upper()]:
        response = admin_client.get(list_url("job"), {"q": term})
        assert list(response.context["cl"].result_list) == [wanted]


def test_search_for_an_unknown_id_finds_nothing(admin_client: Client, make_job: MakeJob) -> None:
    make_job()
    response = admin_client.get(list_url("job"), {"q": str(uuid4())})
    assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize("term", ["\x00", "a\x00b", "%", "'; --", "\\", "x" * 5000, "\u202e"])
def test_search_takes_any_text(admin_client: Client, make_job: MakeJob, term: str) -> None:
    make_job()
    assert admin_client.get(list_url("job"), {"q": term}).status_code == 200


def test_jobs_of_one_status_come_by_when_they_came_into_it(admin_client: Client, make_job: MakeJob) -> None:
    late = make_job(status="dead", run_after=NOW + timedelta(hours=1))
    early = make_job(status="dead", run_after=NOW)
    assert list(admin_client.get(list_url("job")).context["cl"].result_list) == [early, late]
    assert list(admin_client.get(list_url("job", "status=dead")).context["cl"].result_list) == [late, early]


@pytest.mark.parametrize("query", ["args__contains=42", "function__regex=.", "error__icontains=x", "o=1"])
def test_a_list_answers_no_lookup_it_was_not_made_for(
    admin_client: Client, make_job: MakeJob, query: str
) -> None:
    first, second = make_job(function="b.b"), make_job(function="a.a")
    response = admin_client.get(list_url("job", query))
    if query.startswith("o="):
        assert list(response.context["cl"].result_list) == [second, first]
    else:
        assert response.status_code == 400


@pytest.mark.parametrize("model", ["attempt", "joberror"])
def test_attempts_and_errors_are_listed_for_one_job(
    admin_client: Client, dead_job: Job, make_job: MakeJob, model: str
) -> None:
    other = make_job(function="other.jobs.quiet")
    assert len(admin_client.get(list_url(model, f"job={dead_job.pk}")).context["cl"].result_list) == 2
    assert len(admin_client.get(list_url(model, f"job={other.pk}")).context["cl"].result_list) == 0


@pytest.mark.parametrize("model", ["attempt", "joberror"])
def test_a_malformed_job_in_a_query_leads_back_to_the_list(
    admin_client: Client, db: None, model: str
) -> None:
    assert admin_client.get(list_url(model, "job=nonsense")).status_code == 302


@pytest.mark.parametrize("model", ["attempt", "joberror"])
def test_attempts_and_errors_link_to_their_job(admin_client: Client, dead_job: Job, model: str) -> None:
    assert f'href="/admin/django_jobs/job/{dead_job.pk}/change/"' in opened(admin_client, list_url(model))


@pytest.mark.parametrize("model", ["attempt", "joberror"])
def test_rows_whose_job_is_gone_are_still_listed(admin_client: Client, dead_job: Job, model: str) -> None:
    Job.objects.filter(pk=dead_job.pk)._raw_delete("default")  # type: ignore[attr-defined]
    text = opened(admin_client, list_url(model))
    assert text.count(str(dead_job.pk)) == 2
    assert f"/job/{dead_job.pk}/change/" not in text


@pytest.mark.parametrize(
    ("model", "query", "count"),
    [
        ("attempt", "outcome=failed", 2),
        ("attempt", "outcome=crashed", 0),
        ("joberror", "kind=exception", 2),
        ("joberror", "kind=crash", 0),
        ("joberror", "exception_type=ValueError", 2),
        ("joberror", "exception_type=KeyError", 0),
    ],
)
def test_attempts_and_errors_are_filtered(
    admin_client: Client, dead_job: Job, model: str, query: str, count: int
) -> None:
    assert len(admin_client.get(list_url(model, query)).context["cl"].result_list) == count


def test_what_no_index_finds_is_looked_for_among_the_newest_only(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(paging.newest.__kwdefaults__, "window", 3)
    jobs = [
        make_job(function="old.one" if n < 3 else "new.one", run_after=NOW - timedelta(n)) for n in range(6)
    ]
    shown = admin_client.get(list_url("job", "queue=default")).context["cl"].result_list
    assert list(shown) == jobs[:2:-1]
    assert not admin_client.get(list_url("job", "q=old")).context["cl"].result_list
    by_status = admin_client.get(list_url("job", "status=completed&queue=default")).context["cl"].result_list
    assert list(by_status) == jobs[:3]


def test_the_choices_of_a_filter_come_from_a_sample(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SAMPLE", 1)
    make_job(queue="older")
    make_job(queue="newer")
    text = opened(admin_client, list_url("job"))
    assert "?queue=newer" in text
    assert "?queue=older" not in text
    assert "?queue=older" in opened(admin_client, list_url("job", "queue=older"))


def test_the_count_stops_at_its_cap_and_says_so(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        make_job()
    assert "There are more" not in opened(admin_client, list_url("job"))
    monkeypatch.setattr(paging.CappedPaginator, "cap", 3)
    response = admin_client.get(list_url("job"))
    assert response.context["cl"].result_count == 3
    assert "There are more" in response.content.decode()


def test_a_page_that_is_not_there_leads_back_to_the_list(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobAdmin, "list_per_page", 1)
    make_job(), make_job()
    assert admin_client.get(list_url("job", "p=2")).status_code == 200
    assert admin_client.get(list_url("job", "p=9999")).status_code == 302


def _statements(client: Client, url: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        opened(client, url)
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_a_list_of_many_rows_costs_as_many_queries_as_a_list_of_one(
    admin_client: Client, dead_job: Job, make_job: MakeJob, model: str
) -> None:
    few = len(_statements(admin_client, list_url(model)))
    for number in range(20):
        job = make_job(queue=f"q{number}", function=f"f.f{number}")
        run = {"job": job, "token": 1, "round": 1, "number": 1, "worker_id": "w"}
        Attempt.objects.create(**run, outcome="failed", finished_at=NOW)
        JobError.objects.create(**run, kind="crash", exception_type="E", failed_at=NOW)
    assert len(_statements(admin_client, list_url(model))) == few
    assert few <= 8


def test_a_list_reads_no_payload(admin_client: Client, dead_job: Job) -> None:
    for sql in _statements(admin_client, list_url("job")):
        for column in ["args", "options", "result_data"]:
            assert f'django_jobs_job"."{column}"' not in sql
            assert f"django_jobs_job`.`{column}`" not in sql


def test_counting_stops_in_the_database(
    make_job: MakeJob, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_job()
    with django_assert_num_queries(1) as captured:
        assert paging.CappedPaginator(Job.objects.order_by("id"), 50).count == 1
    assert f"LIMIT {paging.WINDOW + 1}" in captured.captured_queries[0]["sql"]
