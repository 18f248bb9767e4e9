"""Our classes built on django-unfold's, with its templates before Django's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import clear_url_caches

from django_jobs.models import Job, Queue, WorkerProcess
from tests.admin.conftest import NOW
from tests.admin.pages import list_url, page_url

# Of what unfold overrides, not of ours.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding get_action_choices")


@pytest.fixture(autouse=True)
def unfolded() -> Iterator[None]:
    """Install unfold for one test."""
    pytest.importorskip("unfold", reason="needs django-unfold")
    # Its other configuration would take the place of Django's own site, for all tests to come.
    apps = ["unfold.apps.BasicAppConfig", *settings.INSTALLED_APPS]
    with override_settings(INSTALLED_APPS=apps, ROOT_URLCONF="tests.admin.unfolded"):
        clear_url_caches()
        yield
    clear_url_caches()


@pytest.fixture
def rows(dead_job: Job) -> dict[str, Any]:
    """Return a row of every model, by its name."""
    long_ago = {"started_at": NOW, "seen_at": NOW}
    return {
        "job": dead_job,
        "attempt": dead_job.attempt_set.get(number=1),
        "joberror": dead_job.errors[0],
        "queue": Queue.objects.create(name="mail", paused_at=NOW),
        "workerprocess": WorkerProcess.objects.create(
            id="one", hostname="web", pid=71, queues="all queues", slots=2, version="0.1.0", **long_ago
        ),
    }


BADGES = {"job": "dead", "attempt": "failed", "joberror": "", "queue": "paused", "workerprocess": "not seen"}
ACTIONS = {"job": ["requeue", "replay"], "queue": ["resume"]}


@pytest.mark.parametrize("model", sorted(BADGES))
def test_list_and_page_open_with_badges_and_actions(
    admin_client: Client, rows: dict[str, Any], model: str
) -> None:
    for url in (list_url(model), page_url(model, rows[model].pk)):
        response = admin_client.get(url)
        text = response.content.decode()
        assert response.status_code == 200
        assert "unfold/" in text
        assert "django_jobs/admin.css" in text
        assert not BADGES[model] or f"</span> {BADGES[model]}</span>" in text
        assert all(f'value="{action}"' in text for action in ACTIONS.get(model, []))


def test_a_job_s_page_has_its_attempts_and_where_it_stands(
    admin_client: Client, rows: dict[str, Any]
) -> None:
    text = admin_client.get(page_url("job", rows["job"].pk)).content.decode()
    assert text.count('<article class="jobs-run"') == 2
    assert "second line" in text
    assert "Makes a new job with the same arguments" in text


def test_the_confirmation_opens_and_the_action_acts(admin_client: Client, rows: dict[str, Any]) -> None:
    post = {"action": "force_cancel", "_selected_action": [str(rows["job"].pk)], "index": "0"}
    asked = admin_client.post(list_url("job"), post)
    assert asked.status_code == 200
    assert 'name="confirmed" value="yes"' in asked.content.decode()
    done = admin_client.post(list_url("job"), {**post, "action": "requeue", "from": "page"}, follow=True)
    assert "1 requeued." in done.content.decode()
    assert User.objects.get().is_superuser


@pytest.mark.parametrize("model", sorted(BADGES))
def test_an_empty_list_opens(admin_client: Client, model: str) -> None:
    response = admin_client.get(list_url(model))
    assert response.status_code == 200
    assert "No " in response.content.decode()
