"""The migrations, on the database of the tests."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from django_jobs.models import Job, Queue


@pytest.mark.django_db(transaction=True)
def test_the_app_can_be_taken_out_again_step_by_step() -> None:
    try:
        call_command("migrate", "django_jobs", "0001", verbosity=0)
        call_command("migrate", "django_jobs", "zero", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert not Job.objects.exists()
    assert not Queue.objects.exists()
