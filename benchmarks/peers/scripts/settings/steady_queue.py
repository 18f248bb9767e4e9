"""steady-queue's best setting, which it takes as objects of its own."""

from datetime import timedelta

from steady_queue.configuration import Configuration

from benchmarks.peers.inside.django_settings import *  # noqa: F403
from benchmarks.peers.inside.place import DATABASE

# More of them only wait for each other where there is one writer.
SIZE = {"threads": 3, "processes": 1} if DATABASE == "sqlite" else {"threads": 8, "processes": 2}
STEADY_QUEUE = Configuration.Options(
    workers=[Configuration.Worker(**SIZE, polling_interval=timedelta(milliseconds=10))],
)
