"""Enqueueing in requests: in async views, and where Django opens and ends a transaction (ATOMIC_REQUESTS)."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from django_jobs.models import Job
from tests import jobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


def order(request: HttpRequest) -> HttpResponse:
    """Save something and enqueue its job, then do what the request asks for."""
    group = Group.objects.create(name="order")
    jobs.add.enqueue(group.pk)
    jobs.add.enqueue_many([(1,), (2,)])
    if request.GET.get("then") == "fail":
        raise ZeroDivisionError
    return HttpResponse(status=int(request.GET.get("status", 200)))


async def order_later(request: HttpRequest) -> HttpResponse:
    """Enqueue a job in a coroutine, and tell its id."""
    job = await jobs.add_later.aenqueue(1, 2)
    return HttpResponse(str(job.id))


urlpatterns = [path("order", order), path("later", order_later)]


@pytest.fixture
def atomic_requests(transactional_db: None) -> Iterator[None]:
    """Set ATOMIC_REQUESTS."""
    with mock.patch.dict(connections.settings["default"], ATOMIC_REQUESTS=True):
        yield


def test_an_async_view_enqueues_as_well() -> None:
    response = async_to_sync(AsyncClient().get)("/later")
    job = Job.objects.get(pk=response.content.decode())
    assert (response.status_code, job.status) == (200, "ready")
    assert job.function == jobs.add_later.name


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("status", [200, 404])
def test_a_response_commits_the_job_with_what_it_is_about(status: int) -> None:
    assert Client().get(f"/order?status={status}").status_code == status
    assert (Group.objects.count(), Job.objects.ready().count()) == (1, 3)


@pytest.mark.usefixtures("atomic_requests")
def test_an_exception_leaves_neither() -> None:
    client = Client(raise_request_exception=False)
    assert client.get("/order?then=fail").status_code == 500
    assert not Group.objects.exists()
    assert not Job.objects.exists()
