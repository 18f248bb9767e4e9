"""SQLite: one writer at a time and no network; what costs is Python, so the hot verbs are plain SQL."""

from django_jobs.engines.sqlite.engine import SQLiteEngine

__all__ = ["SQLiteEngine"]
