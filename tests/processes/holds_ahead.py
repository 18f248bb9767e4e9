"""Imported by a worker that claims ahead whatever its pace, and keeps that for as long as it may."""

from __future__ import annotations

from django_jobs.worker import floor, pace

# The runs it has seen seem to take no time, and those that last do not seem long.
pace.AHEAD_SECONDS = 3600.0
floor.PATIENCE = float("inf")  # type: ignore[attr-defined]
