"""PostgreSQL: each round trip may cross a network, so a verb is one statement a table, whatever its size."""

from django_jobs.engines.postgresql.engine import PostgreSQLEngine

__all__ = ["PostgreSQLEngine"]
