"""What can be done to jobs, from the list and from the page of one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_jobs import client as jobs_client
from django_jobs.admin import changing, trail
from django_jobs.models import Job
from django_jobs.states import CancelRequest, Status
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url
from tests.jobs import apply

ACTIONS = {
    "requeue": "requeue_job",
    "replay": "replay_deadletter",
    "cancel": "cancel_job",
    "force_cancel": "force_cancel_job",
}
actions = pytest.mark.parametrize("action", sorted(ACTIONS))


def act(client: Client, action: str, *jobs: Any, query: str = "", **more: Any) -> HttpResponse:
    """Post an action as the list does; jobs are rows or keys."""
    keys = [str(getattr(each, "pk", each)) for each in jobs]
    data = {"action": action, "_selected_action": keys, "index": "0", "select_across": "0"}
    if action == "force_cancel":
        data["confirmed"] = "yes"
    response: HttpResponse = client.post(list_url("job", query), {**data, **more})
    return response


def said(response: HttpResponse) -> list[str]:
    """Return the messages that came with an answer."""
    return [str(each) for each in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def statuses(*jobs: Job) -> list[str]:
    """Return where the jobs stand now."""
    now = dict(Job.objects.values_list("pk", "status"))
    return [now[job.pk] for job in jobs]


@pytest.fixture
def one_of_each(make_job: MakeJob) -> list[Job]:
    """Return a job of every status."""
    return [make_job(status=status.value) for status in Status]


@pytest.mark.parametrize(
    ("action", "after", "message"),
    [
        (
            "requeue",
            ["waiting", "scheduled", "ready", "running", "ready", "ready", "ready"],
            "3 requeued, 4 skipped: 1 ready, 1 running, 1 scheduled, 1 waiting.",
        ),
        (
            "replay",
            ["waiting", "scheduled", "ready", "running", "completed", "dead", "cancelled"],
            "1 replayed, 6 skipped: 1 cancelled, 1 completed, 1 ready, 1 running, 1 scheduled, 1 waiting.",
        ),
        (
            "cancel",
            ["cancelled", "cancelled", "cancelled", "running", "completed", "dead", "cancelled"],
            "1 asked to end, 3 cancelled, 3 skipped: 1 cancelled, 1 completed, 1 dead.",
        ),
        (
            "force_cancel",
            ["cancelled", "cancelled", "cancelled", "running", "completed", "dead", "cancelled"],
            "3 cancelled, 1 being ended by force, 3 skipped: 1 cancelled, 1 completed, 1 dead.",
        ),
    ],
)
def test_only_eligible_jobs_change_and_the_others_are_counted_with_the_reason(
    admin_client: Client, one_of_each: list[Job], action: str, after: list[str], message: str
) -> None:
    response = act(admin_client, action, *one_of_each)
    assert statuses(*one_of_each) == after
    assert said(response) == [message]


def test_one_reason_is_said_without_a_number(admin_client: Client, make_job: MakeJob) -> None:
    dead = [make_job(status="dead") for _ in range(3)]
    running = [make_job(status="running") for _ in range(2)]
    assert said(act(admin_client, "requeue", *dead, *running)) == ["3 requeued, 2 skipped: running."]


def test_where_nothing_is_eligible_the_message_is_a_warning(admin_client: Client, make_job: MakeJob) -> None:
    response = act(admin_client, "requeue", make_job(status="running"))
    (message,) = get_messages(response.wsgi_request)  # type: ignore[attr-defined]
    assert (message.level_tag, message.message) == ("warning", "Nothing was changed, 1 skipped: running.")


@pytest.mark.parametrize(
    ("action", "columns", "reason"),
    [
        ("replay", {"status": "dead", "replayed_as": uuid4()}, "replayed before"),
        ("cancel", {"status": "running", "cancel_requested": CancelRequest.ASKED}, "asked before"),
        ("cancel", {"status": "running", "cancel_requested": CancelRequest.FORCED}, "asked before"),
        ("force_cancel", {"status": "running", "cancel_requested": CancelRequest.FORCED}, "asked before"),
    ],
)
def test_what_was_done_before_is_not_done_again(
    admin_client: Client, make_job: MakeJob, action: str, columns: dict[str, Any], reason: str
) -> None:
    job = make_job(**columns)
    assert said(act(admin_client, action, job)) == [f"Nothing was changed, 1 skipped: {reason}."]
    assert LogEntry.objects.count() == 0


def test_who_asked_gently_may_still_force(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="running", cancel_requested=CancelRequest.ASKED)
    assert said(act(admin_client, "force_cancel", job)) == ["1 being ended by force."]
    job.refresh_from_db()
    assert job.cancel_requested == CancelRequest.FORCED


def test_a_replay_links_both_jobs_and_its_entry_names_the_new_one(
    admin_client: Client, make_job: MakeJob
) -> None:
    letter = make_job(status="dead", function="tests.jobs.add")
    act(admin_client, "replay", letter)
    made = Job.objects.get(replay_of=letter.pk)
    assert LogEntry.objects.get().change_message == f"Replayed as {made.pk}."


def test_a_letter_with_arguments_of_another_is_skipped_with_the_reason(admin_client: Client) -> None:
    good, bad = (apply.enqueue(len, "x") for _ in range(2))
    Job.objects.update(status="dead")
    Job.objects.filter(pk=bad.pk).update(args=good.args)
    response = act(admin_client, "replay", good, bad)
    assert said(response) == ["1 replayed, 1 skipped: the arguments are not signed for it."]
    assert Job.objects.get(replay_of__isnull=False).replay_of == good.pk


def test_a_job_changed_since_the_page_was_made_is_counted_with_what_it_is_now(
    admin_client: Client, make_job: MakeJob
) -> None:
    still, changed, pruned = (make_job(status="dead") for _ in range(3))
    jobs_client.requeue([changed.pk])
    Job.objects.filter(pk=pruned.pk)._raw_delete("default")  # type: ignore[attr-defined]
    response = act(admin_client, "requeue", still, changed, pruned, query="status=dead")
    assert said(response) == ["1 requeued, 2 skipped: 1 gone, 1 ready."]


def test_a_job_changed_between_the_count_and_the_lock_is_counted_with_what_it_is_then(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, requeued, pruned = (make_job(status="dead") for _ in range(3))
    counted = changing.forecast

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        tally = counted(*args, **kwargs)
        monkeypatch.setattr(changing, "_Step", _AfterOthers)
        return tally

    class _AfterOthers(changing._Step):
        def __call__(self) -> Any:
            jobs_client.requeue([requeued.pk])
            Job.objects.filter(pk=pruned.pk)._raw_delete("default")  # type: ignore[attr-defined]
            return super().__call__()

    monkeypatch.setattr(changing, "forecast", meanwhile)
    response = act(admin_client, "requeue", stays, requeued, pruned)
    assert said(response) == ["1 requeued, 2 skipped: 1 gone, 1 ready."]
    assert LogEntry.objects.get().object_id == str(stays.pk)


def test_an_action_on_jobs_that_are_all_gone_is_no_error(admin_client: Client, db: None) -> None:
    response = act(admin_client, "requeue", uuid4(), query="")
    assert said(response) == ["Nothing was changed, 1 skipped: gone."]


def test_a_job_picked_twice_is_counted_once(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="dead")
    assert said(act(admin_client, "requeue", job, job)) == ["1 requeued."]


@pytest.mark.parametrize("key", ["nonsense", "\x00", "' OR 1=1 --", "1" * 5000])
def test_a_key_that_no_job_can_have_is_a_bad_request(
    admin_client: Client, make_job: MakeJob, key: str
) -> None:
    job = make_job(status="dead")
    assert act(admin_client, "requeue", job, key).status_code == 400
    assert statuses(job) == ["dead"]


@actions
def test_each_action_needs_a_permission_of_its_own(client: Client, make_job: MakeJob, action: str) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    others = {"view_job", *ACTIONS.values()} - {ACTIONS[action]}
    user.user_permissions.set(Permission.objects.filter(codename__in=others))
    client.force_login(user)
    jobs = [make_job(status=status) for status in ("dead", "running", "ready")]
    for job in jobs:
        assert f'value="{action}"' not in opened(client, page_url("job", job.pk))
    assert f'value="{action}"' not in opened(client, list_url("job"))
    assert act(client, action, *jobs).status_code == 403
    assert act(client, action, *jobs, select_across="1").status_code == 403
    assert statuses(*jobs) == ["dead", "running", "ready"]
    assert Job.objects.filter(cancel_requested=0).count() == 3

    user.user_permissions.set(Permission.objects.filter(codename__in=["view_job", ACTIONS[action]]))
    assert f'value="{action}"' in opened(client, list_url("job"))
    assert any(f'value="{action}"' in opened(client, page_url("job", job.pk)) for job in jobs)
    before = list(Job.objects.order_by("pk").values())
    assert act(client, action, *jobs).status_code == 302
    assert list(Job.objects.order_by("pk").values()) != before


@actions
def test_who_may_not_see_jobs_may_do_nothing_to_them(client: Client, make_job: MakeJob, action: str) -> None:
    user = User.objects.create_user("blind", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=ACTIONS.values()))
    client.force_login(user)
    job = make_job(status="dead")
    assert act(client, action, job).status_code == 403
    assert statuses(job) == ["dead"]


@actions
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_nothing_but_a_post_changes_anything(
    admin_client: Client, one_of_each: list[Job], action: str, method: str
) -> None:
    before = list(Job.objects.order_by("pk").values())
    for job in one_of_each:
        data = {"action": action, "_selected_action": str(job.pk), "index": "0", "confirmed": "yes"}
        for url in (list_url("job"), page_url("job", job.pk)):
            getattr(admin_client, method)(url, data if method in ("get", "head") else b"")
            getattr(admin_client, method)(
                f"{url}?action={action}&_selected_action={job.pk}&index=0&confirmed=yes"
            )
    assert list(Job.objects.order_by("pk").values()) == before
    assert not LogEntry.objects.exists()


@actions
def test_a_post_without_the_token_changes_nothing(
    admin_user: User, one_of_each: list[Job], action: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    before = list(Job.objects.order_by("pk").values())
    assert act(client, action, *one_of_each).status_code == 403
    assert list(Job.objects.order_by("pk").values()) == before


def test_force_is_asked_about_first(admin_client: Client, make_job: MakeJob) -> None:
    running, ready, dead = (make_job(status=status) for status in ("running", "ready", "dead"))
    response = act(admin_client, "force_cancel", running, ready, dead, confirmed="")
    text = response.content.decode()
    assert response.status_code == 200
    assert "1 cancelled, 1 being ended by force, 1 skipped: dead." in text
    assert str(running.pk) in text
    assert Job.objects.filter(cancel_requested=0, status__in=["running", "ready", "dead"]).count() == 3
    for job in (running, ready, dead):
        assert f'name="_selected_action" value="{job.pk}"' in text


def test_what_the_confirmation_posts_is_done(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="running")
    data = {"action": "force_cancel", "_selected_action": str(job.pk), "select_across": "0", "from": "page"}
    response = admin_client.post(list_url("job"), {**data, "confirmed": "yes"})
    assert said(response) == ["1 being ended by force."]
    assert response["Location"] == page_url("job", job.pk)


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("waiting", {"cancel"}),
        ("scheduled", {"cancel"}),
        ("ready", {"cancel"}),
        ("running", {"cancel", "force_cancel"}),
        ("completed", {"requeue"}),
        ("dead", {"requeue", "replay"}),
        ("cancelled", {"requeue"}),
    ],
)
def test_a_job_page_offers_what_can_be_done_to_it(
    admin_client: Client, make_job: MakeJob, status: str, buttons: set[str]
) -> None:
    text = opened(admin_client, page_url("job", make_job(status=status).pk))
    assert {name for name in ACTIONS if f'name="action" value="{name}"' in text} == buttons


def test_an_action_on_a_job_page_comes_back_to_it(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job(status="dead")
    response = act(admin_client, "requeue", job, **{"from": "page"})
    assert response["Location"] == page_url("job", job.pk)
    assert "1 requeued." in opened(admin_client, page_url("job", job.pk))


def test_all_that_matches_is_changed_on_every_page(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "STEP", 3)
    mail = [make_job(status="dead", queue="mail") for _ in range(7)]
    mail.append(make_job(status="running", queue="mail"))
    other = make_job(status="dead")
    response = act(admin_client, "requeue", mail[0], query="queue=mail", select_across="1")
    assert said(response) == ["7 requeued, 1 skipped: running."]
    assert statuses(*mail, other) == ["ready"] * 7 + ["running", "dead"]


def test_all_that_matches_a_search_is_changed(admin_client: Client, make_job: MakeJob) -> None:
    wanted, other = make_job(status="dead", function="shop.pay"), make_job(status="dead", function="x.y")
    response = act(admin_client, "requeue", other, query="q=PAY", select_across="1")
    assert said(response) == ["1 requeued."]
    assert statuses(wanted, other) == ["ready", "dead"]


def test_an_action_that_takes_too_long_stops_and_says_what_is_left(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "STEP", 2)
    monkeypatch.setattr(changing, "SECONDS", -1.0)
    jobs = [make_job(status="dead") for _ in range(5)]
    first = act(admin_client, "requeue", jobs[0], select_across="1")
    assert said(first) == ["2 requeued, 3 not reached yet: do it again."]
    assert Job.objects.ready().count() == LogEntry.objects.count() == 2


def test_an_action_holds_a_bounded_number_of_keys(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "MOST", 2)
    jobs = [make_job(status="dead") for _ in range(5)]
    replies = [said(act(admin_client, "requeue", jobs[0], select_across="1"))[-1] for _ in range(3)]
    assert replies == [
        "2 requeued, 3 not reached yet: do it again.",
        "2 requeued, 2 skipped: ready, 1 not reached yet: do it again.",
        "1 requeued, 4 skipped: ready.",
    ]


def test_many_jobs_cost_a_few_statements_each_step(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "NAMED", 5)
    counts = []
    for number in (10, 100):
        job, *_ = [make_job(status="dead") for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            act(admin_client, "requeue", job, select_across="1")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_each_changed_job_has_an_entry_that_its_history_shows(
    admin_client: Client, admin_user: User, make_job: MakeJob
) -> None:
    changed, left = make_job(status="dead"), make_job(status="running")
    act(admin_client, "requeue", changed, left)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (admin_user, str(changed.pk), "Requeued.")
    url = page_url("job", changed.pk)
    assert url.replace("change", "history") in opened(admin_client, url)
    assert "Requeued." in opened(admin_client, url.replace("change", "history"))


def test_of_many_jobs_so_many_have_an_entry_each_and_one_more_counts_the_others(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "NAMED", 3)
    monkeypatch.setattr(changing, "STEP", 2)
    job, *_ = [make_job(status="dead") for _ in range(9)]
    act(admin_client, "requeue", job, select_across="1")
    own = LogEntry.objects.exclude(object_id=None)
    assert own.count() == 3
    (summary,) = LogEntry.objects.filter(object_id=None)
    assert (summary.object_repr, summary.change_message) == ("6 more: jobs", "6 requeued.")
    assert "6 more: jobs" in opened(admin_client, "/admin/")


def test_the_entry_that_counts_says_what_has_become_of_each_kind(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "NAMED", 1)
    monkeypatch.setattr(changing, "STEP", 2)
    jobs = [make_job(status=status) for status in ("ready", "running", "ready", "waiting", "running")]
    act(admin_client, "cancel", *jobs)
    summary = LogEntry.objects.get(object_id=None)
    assert (summary.object_repr, summary.change_message) == (
        "4 more: jobs",
        "2 asked to end, 2 cancelled.",
    )
    letters = [make_job(status="dead") for _ in range(3)]
    act(admin_client, "replay", *letters)
    assert LogEntry.objects.filter(object_id=None).latest("pk").change_message == "2 replayed."


def test_where_the_entry_cannot_be_written_nothing_is_done(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no log")

    monkeypatch.setattr(trail.LogEntry.objects, "bulk_create", refuse)
    job = make_job(status="dead")
    with pytest.raises(RuntimeError, match="no log"):
        act(admin_client, "requeue", job)
    assert statuses(job) == ["dead"]


def test_a_job_asked_to_end_keeps_running_until_its_worker_hears_of_it(
    admin_client: Client, make_job: MakeJob
) -> None:
    job = make_job(status="running", worker_id="w", claim_token=5, lease=NOW, started_at=NOW)
    assert said(act(admin_client, "cancel", job)) == ["1 asked to end."]
    job.refresh_from_db()
    assert (job.status, job.cancel_requested, job.claim_token) == ("running", CancelRequest.ASKED, 5)
    assert "asked to end" in opened(admin_client, page_url("job", job.pk))
    act(admin_client, "force_cancel", job)
    assert "to be ended by force" in opened(admin_client, page_url("job", job.pk))
