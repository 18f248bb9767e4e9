"""End a connection from the server's side, as a restart or an administrator does."""

from __future__ import annotations

from typing import Any


def kill(connection: Any) -> None:
    """Have the server end the session behind one of Django's connections."""
    raw, other = connection.connection, connection.copy()
    try:
        with other.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])
            else:
                cursor.execute(f"KILL {raw.thread_id()}")
    finally:
        other.close()
