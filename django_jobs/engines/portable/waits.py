"""Bounds for waiting: a worker that waits for a server for ever renews nothing and says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

# A connection that is not there after so long is tried anew (seconds).
CONNECT = 5


def limit_waits(engine: Engine, *, seconds: float) -> None:
    """Fill in what the project's OPTIONS leave open, for this thread's connection when next opened."""
    connection = engine.connection
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    usual = _OPTIONS.get(connection.vendor, _none)(max(1, round(seconds)))
    # A pool would lend another connection for each use, and its threads outlive the fork of the runners.
    own = {name: value for name, value in {**usual, **options}.items() if name != "pool"}
    if connection.vendor == "sqlite":
        own["timeout"] = min(seconds, options.get("timeout", seconds))
    # A copy: all threads share the project's dict.
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": own}


def _postgresql(seconds: int) -> dict[str, Any]:
    # The server itself may be well and its network not: the last four are about a peer that fell silent.
    return {
        "connect_timeout": CONNECT,
        "keepalives_idle": seconds,
        "keepalives_interval": max(1, seconds // 3),
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
    }


def _mysql(seconds: int) -> dict[str, Any]:
    # A little later than the server itself gives a statement up: its answer says more than a silence.
    return {"connect_timeout": CONNECT, "read_timeout": seconds + 2, "write_timeout": seconds + 2}


def _none(seconds: int) -> dict[str, Any]:
    return {}


_OPTIONS = {"postgresql": _postgresql, "mysql": _mysql}
