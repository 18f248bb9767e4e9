"""Imported by a worker whose database's clock is an hour ahead of its host's."""

from __future__ import annotations

from django_jobs.engines.portable import upkeep

upkeep._CLOCKS = {
    "postgresql": "SELECT clock_timestamp() + interval '1 hour'",
    "mysql": "SELECT UTC_TIMESTAMP(6) + INTERVAL 1 HOUR",
}
