"""Importing this loads Django and all that the processes of these tests need."""

from __future__ import annotations

import os
from importlib import import_module

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.failpoints.settings"
django.setup()
for each in (
    "django.test",
    "django_jobs.admin",
    "django_jobs.management.commands.runworker",
    "django_jobs.worker.worker",
    "tests.faults.failpoints.clients",
    "tests.faults.failpoints.points",
    "tests.jobs_that_misbehave",
    "tests.urls",
):
    import_module(each)
