"""A runner that was exec'd instead of forked: `python -m django_jobs.runner`, started by a worker."""

from __future__ import annotations

import argparse

import django

from django_jobs.runner.birth import become_runner, live


def main() -> None:
    """Set up Django in this fresh process and serve."""
    given = _arguments()
    become_runner(maker=given.maker, new_session=False)
    django.setup()
    # A thread that a job has left must not keep a runner that has served its time.
    live(lambda: _serve(given))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="django_jobs.runner", description=__doc__)
    for name in ("slip", "jobs-fd", "slips-fd", "slips-count", "maker", "slots", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("worker-id", "database"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("max-jobs", "max-memory"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--events", action="store_true", help="tell receivers of signals and run no job")
    return parser.parse_args()


def _serve(given: argparse.Namespace) -> None:
    # Only now: these rooms need the apps to be loaded.
    from django_jobs import registry
    from django_jobs.context import Workplace
    from django_jobs.recycling import Recycling
    from django_jobs.runner.deliver import deliver
    from django_jobs.runner.post import Post
    from django_jobs.runner.serve import serve
    from django_jobs.wire.slips import Slips
    from django_jobs.wire.sockets import inherited_socket

    registry.autodiscover()
    post = Post(
        slip=given.slip,
        jobs=inherited_socket(given.jobs_fd),
        slips=Slips(given.slips_fd, given.slips_count),
        workplace=Workplace(given.worker_id, given.slots, given.database, given.threads),
        recycling=Recycling(given.max_jobs, given.max_memory),
    )
    deliver(post) if given.events else serve(post)


if __name__ == "__main__":
    main()
