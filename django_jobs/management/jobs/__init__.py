"""The subcommands of `manage.py jobs`, a file each."""

from django_jobs.management.jobs import listing, show, stats
from django_jobs.management.jobs.answers import Subcommand

SUBCOMMANDS: dict[str, Subcommand] = {"stats": stats.Stats(), "list": listing.List(), "show": show.Show()}

__all__ = ["SUBCOMMANDS"]
