"""The tests' settings for worker processes: short times, and the jobs that misbehave."""

from __future__ import annotations

import json
import os

from django_jobs.worker import pace
from tests.settings import *  # noqa: F403

if claim_size := os.environ.get("TEST_CLAIM_SIZE"):
    # However short its runs, a worker of one process then holds no more jobs than this.
    pace.AHEAD_MOST, pace.BUFFER_MOST = int(claim_size) - 1, 0
TIME_ZONE = "UTC"
# Hundreds of workers are started, and each would import what only a site of people needs.
INSTALLED_APPS = ["django_jobs", "tests"]
if os.environ.get("TEST_RECEIVERS"):  # they use the database by models of Django's
    INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes"]
# One of the jobs that misbehave has no time limit on purpose; what commands print is compared word by word.
SILENCED_SYSTEM_CHECKS = ["django_jobs.I003"]
DATABASES["direct"] = dict(DATABASES["default"])  # noqa: F405
DATABASES["default"].update(json.loads(os.environ.get("TEST_DATABASE_ENTRY", "{}")))  # noqa: F405
DJANGO_JOBS = {
    "IMPORTS": ["tests.jobs_that_misbehave"],
    "POLL_INTERVAL": 0.05,
    "RESCUE_INTERVAL": 0.1,
    **json.loads(os.environ.get("TEST_DJANGO_JOBS", "{}")),
}
