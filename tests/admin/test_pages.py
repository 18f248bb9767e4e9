"""The pages of one job, attempt or error: all that is known, whatever is stored."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_jobs.admin import history
from django_jobs.models import Attempt, Job, JobError, JobNote
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url
from tests.jobs import apply

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "\u202egnp.exe",
    "مرحبا بالعالم",
    "\ufffdNUL was here",
    "🦆" * 40,
    "%s %(x)d {0} {}",
]


def test_a_job_page_tells_every_attempt_with_its_error(admin_client: Client, dead_job: Job) -> None:
    text = opened(admin_client, page_url("job", dead_job.pk))
    assert text.index("Attempt 1.2") < text.index("Attempt 1.1")
    for word in [
        "first line",
        "second line",
        "ValueError",
        "host:7:ab",
        "2 of 2",
        "2.0 s",
        "shop.jobs.send_receipt",
    ]:
        assert word in text
    assert text.count("<details") == text.count("Traceback (most recent call last)") == 2


def test_a_job_page_shows_what_a_running_job_says(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="running", claim_token=7)
    JobNote.objects.create(
        job=job, token=7, updated_at=NOW, progress_current=3, progress_total=4, progress_note=HOSTILE[0],
        meta='{"seen": "all"}', log=f"first line\n{HOSTILE[1]}",
    )  # fmt: skip
    text = opened(admin_client, page_url("job", job.pk))
    assert '<progress value="0.750" aria-hidden="true"></progress>' in text
    for word in [
        "Said by the job",
        "3 of 4 (75 %)",
        "&lt;script&gt;",
        "seen",
        "first line",
        "&quot;&gt;&lt;img",
    ]:
        assert word in text


def test_a_job_that_says_nothing_has_no_place_for_it(admin_client: Client, make_job: MakeJob) -> None:
    assert "Said by the job" not in opened(admin_client, page_url("job", make_job().pk))


@pytest.mark.parametrize(
    "columns",
    [{}, {"progress_current": 5}, {"progress_current": 1, "progress_total": 0}, {"meta": "{no json"}],
)
def test_a_job_page_shows_whatever_part_was_said(
    admin_client: Client, make_job: MakeJob, columns: dict[str, object]
) -> None:
    job = make_job(status="running", claim_token=7)
    JobNote.objects.create(job=job, token=7, updated_at=NOW, **columns)
    assert "Said by the job" in opened(admin_client, page_url("job", job.pk))


@pytest.mark.only_on("sqlite")
def test_a_spoilt_progress_is_none(make_job: MakeJob) -> None:
    job = make_job()
    JobNote.objects.create(job=job, token=7, updated_at=NOW, progress_current=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_jobs_jobnote SET progress_current = 'far'")
    assert job.progress is None


def test_the_log_of_an_attempt_is_on_its_page_and_folded_on_its_job_s(
    admin_client: Client, dead_job: Job
) -> None:
    attempt = Attempt.objects.get(job=dead_job, number=1)
    Attempt.objects.filter(pk=attempt.pk).update(log=f"what it did {HOSTILE[0]}")
    JobNote.objects.create(job=dead_job, token=1, updated_at=NOW, log="what it did")
    text = opened(admin_client, page_url("job", dead_job.pk))
    assert text.count("what it did") == 1
    assert "<summary>Log</summary>" in text
    assert "what it did &lt;script&gt;" in opened(admin_client, page_url("attempt", attempt.pk))


def test_a_list_of_attempts_reads_no_log(admin_client: Client, dead_job: Job) -> None:
    with CaptureQueriesContext(connection) as captured:
        opened(admin_client, list_url("attempt"))
    asked = [query["sql"] for query in captured if "FROM" in query["sql"] and "jobs_attempt" in query["sql"]]
    assert asked
    assert not any('."log"' in sql.replace("`", '"') for sql in asked)


def test_a_job_page_shows_payload_reason_and_options(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(
        status="scheduled",
        reason="unknown function",
        options='{"description": "hello"}',
        result_data='"fine"',
    )
    text = opened(admin_client, page_url("job", job.pk))
    for word in [
        "unknown function",
        "description",
        "hello",
        "&quot;fine&quot;",
        "42",
        "This job has not run yet",
    ]:
        assert word in text


@pytest.mark.parametrize(
    ("codenames", "shown"), [(["view_job"], False), (["view_job", "view_payload"], True)]
)
def test_sensitive_values_are_shown_to_whom_may_view_payload(
    client: Client, make_job: MakeJob, codenames: list[str], shown: bool
) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    job = make_job(
        args='{"args":["ada","s3cr3t-0123"],"kwargs":{}}',
        options='{"sensitive":{"token":1,"return":null}}',
        result_data='"s3cr3t-4567"',
    )
    text = opened(client, page_url("job", job.pk))
    assert "ada" in text
    assert ("********" in text) != shown
    assert ("s3cr3t-0123" in text, "s3cr3t-4567" in text) == (shown, shown)
    assert "s3cr3t" not in opened(client, list_url("job"))


def test_bytes_are_described_and_never_shown(admin_client: Client) -> None:
    job = apply.enqueue(len, "s3cr3t-0123")
    text = opened(admin_client, page_url("job", job.pk))
    assert "&quot;format&quot;: &quot;cloudpickle&quot;" in text
    assert job.args[-40:] not in text


def test_the_jobs_of_a_replay_link_to_one_another(admin_client: Client, make_job: MakeJob) -> None:
    letter, again, last = make_job(status="dead"), make_job(status="dead"), make_job(status="ready")
    for old, new in [(letter, again), (again, last)]:
        Job.objects.filter(pk=old.pk).update(replayed_as=new.pk)
        Job.objects.filter(pk=new.pk).update(replay_of=old.pk)
    text = opened(admin_client, page_url("job", again.pk))
    for word, other in [("of", letter), ("as", last)]:
        assert f'{word} <a href="{page_url("job", other.pk)}">{other.pk}</a>' in text
    assert page_url("job", last.pk) not in opened(admin_client, page_url("job", letter.pk))


def test_a_running_job_names_its_worker(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="running", worker_id="host:1:xy", started_at=NOW, lease=NOW, claim_token=5)
    text = opened(admin_client, page_url("job", job.pk))
    assert "host:1:xy" in text
    assert '<span aria-hidden="true">▶</span> running' in text


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_is_shown_and_never_obeyed(admin_client: Client, make_job: MakeJob, value: str) -> None:
    job = make_job(
        function=value, queue=value, status="dead", error=value, reason=value, worker_id=value, args=value
    )
    run = {"job": job, "token": 1, "round": 1, "number": 1, "worker_id": value}
    attempt = Attempt.objects.create(**run, outcome="failed", finished_at=NOW)
    error = JobError.objects.create(
        **run, kind="exception", exception_type=value, message=value, traceback=value, failed_at=NOW
    )
    urls = [page_url("job", job.pk), page_url("attempt", attempt.pk), page_url("joberror", error.pk)]
    urls += [list_url(model) for model in ("job", "attempt", "joberror")]
    for url in urls:
        text = opened(admin_client, url)
        assert "alert(1)</script>" not in text
        assert "<img src=x" not in text
    assert admin_client.get(list_url("job"), {"queue": value, "function": value}).status_code == 200


@pytest.mark.parametrize(
    "stored", ["", "{", "null", "[", "42", '"\\ud800"', '{"args": "\\u0000"}', "[" * 5000, "9" * 5000, "NaN"]
)
def test_a_corrupted_payload_still_opens(admin_client: Client, make_job: MakeJob, stored: str) -> None:
    job = make_job(args=stored, options=stored, result_data=stored, status="completed")
    opened(admin_client, page_url("job", job.pk))
    opened(admin_client, list_url("job"))


def test_text_that_is_no_json_is_shown_as_it_stands(admin_client: Client, make_job: MakeJob) -> None:
    text = opened(admin_client, page_url("job", make_job(args="{broken").pk))
    assert "not readable as JSON" in text
    assert "{broken" in text


def test_a_status_nobody_knows_still_opens(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="exploded")
    assert "exploded" in opened(admin_client, page_url("job", job.pk))
    assert "exploded" in opened(admin_client, list_url("job"))


@pytest.mark.parametrize("job_id", [UUID(int=0), UUID(int=2**128 - 1), uuid4()])
def test_an_id_that_tells_no_time_still_opens(admin_client: Client, make_job: MakeJob, job_id: UUID) -> None:
    make_job(id=job_id)
    assert str(job_id) in opened(admin_client, page_url("job", job_id))
    assert str(job_id) in opened(admin_client, list_url("job"))


def test_very_long_text_is_cut_and_says_how_much_is_left(admin_client: Client, make_job: MakeJob) -> None:
    text = opened(admin_client, page_url("job", make_job(args='"' + "x" * 100_000 + '"').pk))
    assert "50,002 more characters" in text


def test_an_error_without_its_attempt_is_shown(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="dead")
    JobError.objects.create(
        job=job, token=1, round=1, number=1, kind="unknown function", exception_type="E", failed_at=NOW
    )
    assert "unknown function" in opened(admin_client, page_url("job", job.pk))


def test_a_job_with_many_attempts_shows_the_newest_and_links_to_all(
    admin_client: Client, make_job: MakeJob
) -> None:
    job = make_job()
    for number in range(1, history.SHOWN + 6):
        Attempt.objects.create(
            job=job, token=number, round=number, number=1, outcome="completed", finished_at=NOW
        )
    text = opened(admin_client, page_url("job", job.pk))
    assert text.count("<article") == history.SHOWN
    assert f"Attempt {history.SHOWN + 5}.1" in text
    assert f'href="/admin/django_jobs/attempt/?job={job.pk}"' in text


def test_an_attempt_page_tells_all_and_links_on(admin_client: Client, dead_job: Job) -> None:
    attempt = dead_job.attempt_set.get(number=2)
    text = opened(admin_client, page_url("attempt", attempt.pk))
    assert "1.2" in text
    assert "2.0 s" in text
    assert f"/admin/django_jobs/job/{dead_job.pk}/change/" in text


def test_an_error_page_shows_message_and_traceback(admin_client: Client, dead_job: Job) -> None:
    error = dead_job.errors[0]
    text = opened(admin_client, page_url("joberror", error.pk))
    assert "first line" in text
    assert "0123456789abcdef" in text
    assert f"/admin/django_jobs/job/{dead_job.pk}/change/" in text


@pytest.mark.parametrize(
    "bad", ["nonsense", "1", "00000000-0000-0000-0000-000000000000", "%00", "_3C", "..%2f..", "9" * 40]
)
@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_an_unknown_or_malformed_id_leads_back_to_the_index(
    admin_client: Client, db: None, model: str, bad: str
) -> None:
    response = admin_client.get(f"/admin/django_jobs/{model}/{bad}/change/")
    assert response.status_code in (302, 404)


@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_nothing_can_be_added_changed_or_deleted(admin_client: Client, dead_job: Job, model: str) -> None:
    row = {"job": dead_job, "attempt": dead_job.attempt_set.get(number=1), "joberror": dead_job.errors[0]}[
        model
    ]
    page = page_url(model, row.pk)
    assert admin_client.get(list_url(model) + "add/").status_code == 403
    assert admin_client.post(page, {"status": "ready"}).status_code == 403
    assert admin_client.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert admin_client.post(
        list_url(model), {"action": "delete_selected", "_selected_action": row.pk}
    ).status_code in (
        302,
        403,
        200,
    )
    assert type(row).objects.filter(pk=row.pk).exists()
    dead_job.refresh_from_db()
    assert dead_job.status == "dead"


def test_the_permission_to_view_is_enough_and_needed(client: Client, dead_job: Job) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    client.force_login(user)
    assert client.get(page_url("job", dead_job.pk)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    opened(client, page_url("job", dead_job.pk))
    opened(client, list_url("job"))
    assert client.get(list_url("attempt")).status_code == 403


def test_a_job_page_costs_a_constant_number_of_queries(
    admin_client: Client, dead_job: Job, make_job: MakeJob
) -> None:
    opened(admin_client, page_url("job", dead_job.pk))  # which content types there are is asked once for all
    counts = []
    for job in [dead_job, make_job()]:
        with CaptureQueriesContext(connection) as captured:
            opened(admin_client, page_url("job", job.pk))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 7


def test_a_job_pruned_while_its_page_is_made_leads_back(
    admin_client: Client, dead_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise Job.DoesNotExist

    monkeypatch.setattr(Job, "refresh_from_db", gone)
    assert admin_client.get(page_url("job", dead_job.pk)).status_code == 302
