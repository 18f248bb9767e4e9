"""The subcommands of `manage.py jobs`, a file each."""

from django_jobs.management.jobs import (
    cancel,
    listing,
    prune,
    purge,
    queues,
    replay,
    requeue,
    show,
    stats,
    workers,
)
from django_jobs.management.jobs.answers import Subcommand

SUBCOMMANDS: dict[str, Subcommand] = {
    "stats": stats.Stats(),
    "queues": queues.Queues(),
    "workers": workers.Workers(),
    "list": listing.List(),
    "show": show.Show(),
    "cancel": cancel.Cancel(),
    "requeue": requeue.Requeue(),
    "replay": replay.Replay(),
    "prune": prune.Prune(),
    "purge": purge.Purge(),
}

__all__ = ["SUBCOMMANDS"]
