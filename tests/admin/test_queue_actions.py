"""Queues in the admin: those that have jobs and no row, and what can be done to them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_jobs.admin import QueueAdmin, changing, queue, queue_actions
from django_jobs.models import Attempt, Job, Queue
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url
from tests.admin.test_actions import said

ACTIONS = {"pause": "pause_queue", "resume": "pause_queue", "purge": "purge_queue"}
actions = pytest.mark.parametrize("action", sorted(ACTIONS))
EVERY = ["waiting", "scheduled", "ready", "completed", "dead", "cancelled"]


def act(client: Client, action: str, *names: str, **more: Any) -> HttpResponse:
    """Post an action as the list does."""
    data = {"action": action, "_selected_action": names, "index": "0", "select_across": "0"}
    if action == "purge":
        data |= {"confirmed": "yes", "status": EVERY}
    response: HttpResponse = client.post(list_url("queue"), {**data, **more})
    return response


def paused() -> set[str]:
    """Return the names of the paused queues."""
    return set(Queue.objects.values_list("name", flat=True))


def test_a_queue_is_listed_because_it_has_jobs_or_is_paused(admin_client: Client, make_job: MakeJob) -> None:
    for status, count in [("ready", 2), ("dead", 1)]:
        for _ in range(count):
            make_job(queue="mail", status=status)
    Queue.objects.create(name="reports", paused_at=NOW)
    response = admin_client.get(list_url("queue"))
    assert [row.name for row in response.context["cl"].result_list] == ["mail", "reports"]
    text = response.content.decode()
    assert f'href="{list_url("job", "status=ready&amp;queue=mail")}"' in text
    assert "2 queues" in text
    assert '<span aria-hidden="true">‖</span> paused' in text
    assert '<span aria-hidden="true">○</span> open' in text


def test_jobs_are_counted_up_to_a_cap(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "CAP", 2)
    for status, count in [("ready", 2), ("dead", 3)]:
        for _ in range(count):
            make_job(queue="mail", status=status)
    for url in (list_url("queue"), page_url("queue", "mail")):
        text = opened(admin_client, url)
        assert "</span> ready</span></a> 2</li>" in text
        assert "</span> dead</span></a> 2+</li>" in text


def test_many_queues_are_paged_each_shown_once(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueueAdmin, "list_per_page", 2)
    names = [f"q{number}" for number in range(5)]
    for name in names:
        make_job(queue=name)
    seen = [
        row.name
        for number in (1, 2, 3)
        for row in admin_client.get(list_url("queue", f"p={number}")).context["cl"].result_list
    ]
    assert seen == names
    everything = admin_client.get(list_url("queue", "all=")).context["cl"].result_list
    assert [row.name for row in everything] == names


def test_the_list_costs_no_query_for_each_job(admin_client: Client, make_job: MakeJob) -> None:
    counts = []
    for _ in range(2):
        for _ in range(10):
            make_job(queue="mail")
        with CaptureQueriesContext(connection) as captured:
            opened(admin_client, list_url("queue"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_queue_without_jobs_or_pause_has_no_page(admin_client: Client, db: None) -> None:
    assert admin_client.get(page_url("queue", "mail")).status_code == 302


@pytest.mark.parametrize(
    ("status", "is_paused", "buttons"),
    [
        ("ready", False, {"pause", "purge"}),
        ("dead", True, {"resume", "purge"}),
        (None, True, {"resume"}),
    ],
)
def test_a_queue_s_page_offers_what_can_be_done_to_it(
    admin_client: Client, make_job: MakeJob, status: str | None, is_paused: bool, buttons: set[str]
) -> None:
    if status:
        make_job(queue="mail", status=status)
    if is_paused:
        Queue.objects.create(name="mail", paused_at=NOW)
    text = opened(admin_client, page_url("queue", "mail"))
    assert {name for name in ACTIONS if f'name="action" value="{name}"' in text} == buttons


def test_pausing_and_resuming_count_what_changed(admin_client: Client, make_job: MakeJob) -> None:
    make_job(queue="mail")
    assert said(act(admin_client, "pause", "mail", "not yet there"))[-1] == (
        "1 paused, 1 skipped: no queue can be called so."
    )
    assert said(act(admin_client, "pause", "mail", "reports"))[-1] == "1 paused, 1 skipped: paused before."
    assert paused() == {"mail", "reports"}
    assert said(act(admin_client, "resume", "mail", "other"))[-1] == "1 resumed, 1 skipped: not paused."
    assert paused() == {"reports"}
    entries = LogEntry.objects.order_by("pk").values_list("object_id", "change_message")
    assert list(entries) == [("mail", "Paused."), ("reports", "Paused."), ("mail", "Resumed.")]


def test_a_queue_is_paused_by_its_name_before_it_has_a_job(admin_client: Client, db: None) -> None:
    assert 'name="_selected_action" maxlength="100"' in opened(admin_client, list_url("queue"))
    act(admin_client, "pause", "mail")
    assert paused() == {"mail"}
    assert opened(admin_client, page_url("queue", "mail"))


@pytest.mark.parametrize("name", ["", " ", "a,b", "mail*", "x" * 101, "\u202e", "a\nb"])
def test_what_no_queue_can_be_called_is_not_paused(admin_client: Client, db: None, name: str) -> None:
    assert said(act(admin_client, "pause", name)) == [
        "Nothing was changed, 1 skipped: no queue can be called so."
    ]
    assert not paused()


@actions
def test_a_key_that_no_database_can_look_for_is_a_bad_request(
    admin_client: Client, db: None, action: str
) -> None:
    assert act(admin_client, action, "mail", "ma\x00il").status_code == 400
    assert not paused()


def test_every_queue_is_paused_where_all_is_meant(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueueAdmin, "list_per_page", 2)
    for number in range(5):
        make_job(queue=f"q{number}")
    act(admin_client, "pause", "q0", select_across="1")
    assert paused() == {f"q{number}" for number in range(5)}


def test_a_purge_asks_first_and_which(admin_client: Client, make_job: MakeJob) -> None:
    for status in ("ready", "ready", "dead", "running"):
        make_job(queue="mail", status=status)
    response = act(admin_client, "purge", "mail", confirmed="")
    text = response.content.decode()
    assert response.status_code == 200
    assert 'name="status" value="ready" checked> ready: 2' in text
    assert 'name="status" value="dead" checked> dead: 1' in text
    assert 'value="running"' not in text
    assert Job.objects.count() == 4


def test_a_purge_removes_what_was_chosen_with_all_that_belongs_to_it(
    admin_client: Client, make_job: MakeJob, dead_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_actions, "STEP", 2)
    for status in [*["ready"] * 5, "completed", "running"]:
        make_job(status=status)
    other = make_job(queue="mail", status="ready")
    response = act(admin_client, "purge", "default", status=["ready", "dead", "running"])
    assert said(response) == ["6 purged, 1 skipped: running."]
    assert set(Job.objects.values_list("status", "queue")) == {
        ("completed", "default"),
        ("running", "default"),
        ("ready", "mail"),
    }
    assert not Attempt.objects.exists()
    assert Job.objects.filter(pk=other.pk).exists()
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message, entry.action_flag) == (
        "default",
        "6 jobs removed.",
        DELETION,
    )


def test_a_purge_of_nothing_changes_nothing(admin_client: Client, make_job: MakeJob) -> None:
    make_job(queue="mail")
    for status in ([], ["nonsense"], ["running"], ["dead"]):
        assert said(act(admin_client, "purge", "mail", status=status))[-1] == "Nothing was changed."
    assert Job.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_a_purge_that_takes_too_long_stops_and_says_what_is_left(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(queue_actions, "STEP", 2)
    monkeypatch.setattr(changing, "SECONDS", 2.5)
    monkeypatch.setattr(queue_actions.time, "monotonic", lambda: next(ticks))
    for name in ("mail", "mail", "mail", "mail", "mail", "reports"):
        make_job(queue=name)
    assert said(act(admin_client, "purge", "mail", "reports")) == [
        "4 purged, 2 not reached yet: do it again."
    ]


def test_after_its_purge_a_queue_s_page_leads_to_the_list(admin_client: Client, make_job: MakeJob) -> None:
    make_job(queue="mail")
    response = act(admin_client, "purge", "mail", **{"from": "page"})
    assert response["Location"] == list_url("queue")
    make_job(queue="mail")
    assert act(admin_client, "pause", "mail", **{"from": "page"})["Location"] == page_url("queue", "mail")


@actions
def test_each_action_needs_its_permission(client: Client, make_job: MakeJob, action: str) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    others = {"view_queue", *ACTIONS.values()} - {ACTIONS[action]}
    user.user_permissions.set(Permission.objects.filter(codename__in=others))
    client.force_login(user)
    make_job(queue="mail")
    Queue.objects.create(name="reports", paused_at=NOW)
    for url in (list_url("queue"), page_url("queue", "mail"), page_url("queue", "reports")):
        assert f'value="{action}"' not in opened(client, url)
    assert act(client, action, "mail", "reports").status_code == 403
    assert (paused(), Job.objects.count()) == ({"reports"}, 1)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_queue", ACTIONS[action]]))
    assert f'value="{action}"' in opened(client, list_url("queue"))
    assert act(client, action, "mail", "reports").status_code == 302
    assert (paused(), Job.objects.count()) != ({"reports"}, 1)


@actions
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_nothing_but_a_post_changes_anything(
    admin_client: Client, make_job: MakeJob, action: str, method: str
) -> None:
    make_job(queue="mail")
    Queue.objects.create(name="reports", paused_at=NOW)
    for name in ("mail", "reports"):
        query = f"action={action}&_selected_action={name}&index=0&confirmed=yes&status=completed"
        for url in (list_url("queue"), page_url("queue", quote(name))):
            getattr(admin_client, method)(f"{url}?{query}")
    assert (paused(), Job.objects.count()) == ({"reports"}, 1)
    assert not LogEntry.objects.exists()


@actions
def test_a_post_without_the_token_changes_nothing(admin_user: User, make_job: MakeJob, action: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    make_job(queue="mail")
    Queue.objects.create(name="reports", paused_at=NOW)
    assert act(client, action, "mail", "reports").status_code == 403
    assert (paused(), Job.objects.count()) == ({"reports"}, 1)


def test_the_history_of_a_queue_tells_who_paused_it(admin_client: Client, make_job: MakeJob) -> None:
    make_job(queue="mail")
    act(admin_client, "pause", "mail")
    url = page_url("queue", "mail")
    assert "Paused." in opened(admin_client, url.replace("change", "history"))
