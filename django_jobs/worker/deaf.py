"""Runners that say that they wait, and do not take the jobs that wait for them.

Who had nothing to do for a minute closes its connections, and that may hang: a pool that is stuck, a server
that is gone. Its slip says that it is idle then, so no limit on time ends it, and what lies in the
socket would wait for as long as it hangs.
"""

from __future__ import annotations

from typing import NamedTuple

from django_jobs.worker.runners import Runner, Runners
from django_jobs.worker.verdicts import Verdict

# At so many looks in a row it was idle while jobs lay in the socket. Looks and no time: while the machine
# sleeps nobody is deaf.
LOOKS = 20


class _Seen(NamedTuple):
    """Which run it had begun last, and at how many looks it was idle since."""

    serial: int
    looks: int


class Deaf:
    """Looks for runners that take no message."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._seen: dict[Runner, _Seen] = {}

    def look(self, *, out: int) -> None:
        """Kill who was idle at all the last looks while jobs lay in the socket.

        Args:
            out: how many jobs are in the socket or in a runner that reads it.
        """
        unread = out > self._runners.sharing_runs
        waiting = self._runners.waiting() if unread else {}
        self._seen = {runner: self._again(runner, serial) for runner, serial in waiting.items()}
        for runner, seen in self._seen.items():
            if seen.looks >= LOOKS:
                self._runners.kill(runner, Verdict.DEAF)

    def _again(self, runner: Runner, serial: int) -> _Seen:
        seen = self._seen.get(runner)
        return _Seen(serial, seen.looks + 1 if seen and seen.serial == serial else 1)
