"""The subcommands of `manage.py jobs`, a file each."""

from django_jobs.management.jobs import cancel, listing, prune, purge, replay, requeue, show, stats
from django_jobs.management.jobs.answers import Subcommand

SUBCOMMANDS: dict[str, Subcommand] = {
    "stats": stats.Stats(),
    "list": listing.List(),
    "show": show.Show(),
    "cancel": cancel.Cancel(),
    "requeue": requeue.Requeue(),
    "replay": replay.Replay(),
    "prune": prune.Prune(),
    "purge": purge.Purge(),
}

__all__ = ["SUBCOMMANDS"]
