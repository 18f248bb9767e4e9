"""What a program may do with a whole queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from django_jobs import pause_queue, resume_queue
from django_jobs.models import Job, Queue
from tests import jobs

pytestmark = pytest.mark.django_db


def test_whoever_pauses_or_resumes_hears_whether_that_changed_anything() -> None:
    assert [pause_queue("mail"), pause_queue("mail")] == [True, False]
    assert [resume_queue("mail"), resume_queue("mail")] == [True, False]


def test_a_paused_queue_tells_since_when() -> None:
    before = datetime.now(UTC)
    pause_queue("mail")
    assert before <= Queue.objects.get(name="mail").paused_at <= before + timedelta(minutes=1)


def test_a_pause_belongs_to_the_transaction_it_is_in() -> None:
    with transaction.atomic():
        pause_queue("mail")
        transaction.set_rollback(True)
    assert pause_queue("mail") is True


def test_jobs_are_enqueued_to_a_paused_queue_as_ever() -> None:
    pause_queue("mail")
    jobs.add.using(queue="mail").enqueue(1)
    assert Job.objects.ready().filter(queue="mail").count() == 1


@pytest.mark.parametrize("change", [pause_queue, resume_queue])
@pytest.mark.parametrize("name", ["", "mail*", "a,b", "a b", "a\nb", "m" * 101, None, 7, ["mail"]])
def test_what_can_be_no_queue_is_refused(change: Any, name: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="name must be"):
        change(name)
    assert not Queue.objects.exists()
