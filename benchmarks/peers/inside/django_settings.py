"""Settings of the project of `django_project.py`; what is the peer's own comes through the environment."""

from __future__ import annotations

import json
import os

from benchmarks.peers.inside.place import DATABASE, SQLITE

SECRET_KEY = "only for measuring"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASE == "sqlite":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": SQLITE,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
        }
    }
globals().update(json.loads(os.environ["BENCH_DJANGO"]))
