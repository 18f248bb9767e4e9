"""Admin sites of a project's own, and classes built on ours."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from django_jobs.models import Job
from tests.admin.pages import list_url, opened, page_url

pytestmark = pytest.mark.urls("tests.admin.sites")


@pytest.mark.parametrize("model", ["job", "attempt", "joberror"])
def test_links_stay_on_the_site_they_are_on(admin_client: Client, dead_job: Job, model: str) -> None:
    row = {"job": dead_job, "attempt": dead_job.attempt_set.get(number=1), "joberror": dead_job.errors[0]}[
        model
    ]
    for url in [list_url(model, site="control"), page_url(model, row.pk, site="control")]:
        text = opened(admin_client, url)
        assert "/control/django_jobs/" in text
        assert "/admin/django_jobs/" not in text


def test_our_classes_work_together_with_another_base(admin_client: Client, dead_job: Job) -> None:
    response = admin_client.get(list_url("job", site="control"))
    assert response["X-House-Style"] == "yes"
    assert dead_job.function in response.content.decode()


def test_an_action_stays_on_the_site_it_is_on(admin_client: Client, dead_job: Job) -> None:
    page, jobs = page_url("job", dead_job.pk, site="control"), list_url("job", site="control")
    assert f'method="post" action="{jobs}"' in opened(admin_client, page)
    data = {"_selected_action": str(dead_job.pk), "index": "0", "from": "page"}
    asked = admin_client.post(jobs, {**data, "action": "force_cancel"}).content.decode()
    assert f'href="{page}"' in asked
    assert "/admin/django_jobs/" not in asked
    assert admin_client.post(jobs, {**data, "action": "requeue"})["Location"] == page
    dead_job.refresh_from_db()
    assert dead_job.status == "ready"


def test_the_default_site_has_the_three_models() -> None:
    assert {"Job", "Attempt", "JobError"} <= {model.__name__ for model in admin.site._registry}


def test_the_admin_passes_the_system_checks() -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "django_jobs":
            assert model_admin.check() == []
