"""Imported by a worker that no news reach, whatever its database could tell."""

from __future__ import annotations

from django_jobs.engines import Engine, engine_for

type(engine_for("default")).listener = Engine.listener  # type: ignore[method-assign]
