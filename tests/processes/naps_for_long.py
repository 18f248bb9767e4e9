"""Imported by a worker whose loop naps until something happens: nothing is done in time by chance."""

from __future__ import annotations

from django_jobs.worker import loop

loop.NAP = 3600.0
