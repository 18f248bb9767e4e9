"""steady-queue's best setting, which it takes as objects of its own."""

from datetime import timedelta

from steady_queue.configuration import Configuration

from benchmarks.peers.inside.django_settings import *  # noqa: F403

STEADY_QUEUE = Configuration.Options(
    workers=[Configuration.Worker(threads=8, processes=2, polling_interval=timedelta(milliseconds=10))],
)
