"""MariaDB and MySQL, one vendor to Django: no UPDATE … RETURNING, and locks on whatever was looked at."""

from django_jobs.engines.mysql.engine import MySQLEngine

__all__ = ["MySQLEngine"]
