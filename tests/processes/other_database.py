"""The tests' project with its queue on another alias: what is the tests' database is `jobs` here."""

from __future__ import annotations

import os

from tests.processes.settings import *  # noqa: F403
from tests.processes.settings import DATABASES as OF_THE_TESTS
from tests.processes.settings import DJANGO_JOBS as OF_ALL_WORKERS
from tests.settings import INSTALLED_APPS as OF_A_SITE

ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = OF_A_SITE
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["TEST_PROJECT_DATABASE"],
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    },
    "jobs": OF_THE_TESTS["default"],
}
DATABASE_ROUTERS = ["django_jobs.JobsRouter"]
DJANGO_JOBS = {**OF_ALL_WORKERS, "DATABASE": "jobs"}
