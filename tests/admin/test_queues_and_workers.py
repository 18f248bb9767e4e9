"""The lists and pages of paused queues and of workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client

from django_jobs.engines import Engine
from django_jobs.models import Queue, WorkerProcess
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url
from tests.admin.test_pages import HOSTILE


def make(model: str, name: str = "mail") -> Model:
    """Store a row of one of the two."""
    if model == "queue":
        return Queue.objects.create(name=name, paused_at=NOW)
    plain: dict[str, Any] = {"hostname": name, "queues": name, "version": "0.1.0"}
    return WorkerProcess.objects.create(id=name, pid=71, slots=2, started_at=NOW, seen_at=NOW, **plain)


def address(row: Any) -> str:
    """Return the page of a row, as the admin itself writes its key."""
    return page_url(row._meta.model_name, quote(row.pk))


models = pytest.mark.parametrize("model", ["queue", "workerprocess"])


@models
def test_an_empty_list_opens(admin_client: Client, model: str) -> None:
    assert "0 " in opened(admin_client, list_url(model))


@models
def test_list_and_page_tell_all(admin_client: Client, model: str) -> None:
    row = make(model)
    for url in (list_url(model), address(row)):
        text = opened(admin_client, url)
        assert "mail" in text
        assert NOW.isoformat() in text
    if model == "workerprocess":
        assert "71" in opened(admin_client, address(row))
    assert address(row) in opened(admin_client, list_url(model))


@models
@pytest.mark.parametrize("value", [*HOSTILE, "a/b_c?d"])
def test_hostile_text_is_shown_and_never_obeyed(admin_client: Client, model: str, value: str) -> None:
    row = make(model, value)
    for url in (list_url(model), address(row)):
        text = opened(admin_client, url)
        assert "alert(1)</script>" not in text
        assert "<img src=x" not in text


@models
@pytest.mark.parametrize("key", ["\x00", "_00", "x" * 300])
def test_a_page_of_a_row_that_cannot_be_leads_back(admin_client: Client, model: str, key: str) -> None:
    assert admin_client.get(page_url(model, key)).status_code == 302


@models
def test_nothing_can_be_added_changed_or_deleted(admin_client: Client, model: str) -> None:
    row = make(model)
    for url in (list_url(model), address(row)):
        text = opened(admin_client, url)
        assert 'name="_save"' not in text
        assert ('name="action"' in text) == (model == "queue")
    for url in (list_url(model) + "add/", address(row).replace("/change/", "/delete/")):
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert admin_client.post(address(row), {"name": "other"}).status_code == 403
    assert type(row).objects.get(pk=row.pk) == row  # type: ignore[attr-defined]


@models
def test_the_permission_to_view_is_enough_and_needed(client: Client, db: None, model: str) -> None:
    row, user = make(model), User.objects.create_user("viewer", is_staff=True)
    client.force_login(user)
    assert client.get(address(row)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename=f"view_{model}"))
    opened(client, address(row))


def test_a_worker_is_alive_for_a_lease_and_says_what_it_holds(
    admin_client: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("workerprocess", "host:7:ab")
    for worker_id in ("host:7:ab", "host:7:ab", "other"):
        make_job(status="running", worker_id=worker_id)
    for later, word in [(60, "alive"), (61, "not seen")]:
        monkeypatch.setattr(Engine, "read_clock", lambda engine, s=later: NOW + timedelta(seconds=s))
        for url in (list_url("workerprocess"), page_url("workerprocess", "host:7:ab")):
            text = opened(admin_client, url)
            assert f"</span> {word}</span>" in text
            assert "2 of 2" in text
