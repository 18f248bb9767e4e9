"""Two ways to make runners, one contract: start, interrupt, kill, and tell of births and deaths.

`fork` asks the nursery: milliseconds, and the code's memory is shared. `exec` starts a fresh
interpreter for each: slower and larger, but safe where the project's start-up has left threads
or connections behind, which no forked child may use.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple, Protocol

from django_jobs.wire.events import EVENTS_SLOT
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import receive, send
from django_jobs.worker.nursery import Serve, fork_nursery
from django_jobs.worker.posts import Posts
from django_jobs.worker.sessions import interrupt, kill_session


class What(StrEnum):
    """What happened to a runner."""

    BORN = "born"
    DIED = "died"
    FAILED = "failed"  # could not be made; the status is the errno
    LAPSED = "lapsed"  # killed by the nursery, because the lease had passed
    ORPHANED = "orphaned"  # the nursery itself is gone


class Event(NamedTuple):
    """News of a runner; status is its wait status when it died. No pid: it never lived."""

    what: What
    slot: int
    pid: int
    status: int


class Starter(Protocol):
    """Makes runners."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when there are events."""

    def start(self, slot: int) -> None:
        """Make a runner for a slot; its birth, or that there was none, comes as an event."""

    def interrupt(self, slot: int, pid: int) -> None:
        """Send a runner, and nothing it has started, SIGALRM: it looks at its slip then."""

    def kill(self, slot: int, pid: int) -> None:
        """Kill a runner's whole session; its death comes as an event."""

    def events(self) -> list[Event]:
        """Return what has happened since the last call."""

    def stop(self) -> None:
        """Kill all runners and wait until they are gone; bears being called twice."""


class NurseryStarter:
    """Runners forked by the nursery. Build it before the process has threads or connections."""

    def __init__(self, *, slips: Slips, close_in_child: Sequence[socket.socket], serve: Serve) -> None:
        self._pid, self._control = fork_nursery(slips=slips, close_in_child=close_in_child, serve=serve)

    def fileno(self) -> int:
        """Return the connection to the nursery."""
        return self._control.fileno()

    def start(self, slot: int) -> None:
        """Have the nursery fork a runner."""
        self._order("start", slot, 0)

    def interrupt(self, slot: int, pid: int) -> None:
        """Have the nursery send a runner SIGALRM."""
        self._order("interrupt", slot, pid)

    def kill(self, slot: int, pid: int) -> None:
        """Have the nursery kill a runner's session."""
        self._order("kill", slot, pid)

    def events(self) -> list[Event]:
        """Return the nursery's reports; ORPHANED when it is gone."""
        found = []
        with suppress(BlockingIOError):
            while (report := receive(self._control)) is not None:
                verb, slot, pid, status = json.loads(report)
                found.append(Event(What(verb), slot, pid, status))
            found.append(Event(What.ORPHANED, -1, self._pid, 0))
        return found

    def stop(self) -> None:
        """End the nursery, which takes its runners along."""
        self._control.close()
        if self._pid:
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0

    def _order(self, verb: str, slot: int, pid: int) -> None:
        with suppress(BrokenPipeError):  # its end is read as an event
            send(self._control, json.dumps([verb, slot, pid]).encode())


class ExecStarter:
    """Runners exec'd by this process, each watched by a pidfd."""

    def __init__(self, posts: Posts) -> None:
        self._posts = posts
        self._children: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}  # pidfd → slot, process
        self._poll = select.epoll()
        self._news: list[Event] = []
        self._has_news = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll.register(self._has_news, select.EPOLLIN)

    def fileno(self) -> int:
        """Return the poll object over all runners."""
        return self._poll.fileno()

    def start(self, slot: int) -> None:
        """Exec a runner."""
        try:
            pid = self._spawn(slot)
        except OSError as error:  # too many processes, no memory, no descriptors: the next try may succeed
            self._news.append(Event(What.FAILED, slot, 0, error.errno or 0))
        else:
            self._news.append(Event(What.BORN, slot, pid, 0))
        os.eventfd_write(self._has_news, 1)

    def interrupt(self, slot: int, pid: int) -> None:
        """Send a runner SIGALRM."""
        if self._has_child(pid):
            interrupt(pid)

    def kill(self, slot: int, pid: int) -> None:
        """Kill a runner's session."""
        if self._has_child(pid):
            kill_session(pid)

    def events(self) -> list[Event]:
        """Return births and deaths."""
        found, self._news = self._news, []
        for fd, _ in self._poll.poll(0):
            if fd == self._has_news:
                os.eventfd_read(fd)
            else:
                found.append(self._bury(fd))
        return found

    def stop(self) -> None:
        """Kill all and reap them."""
        for pidfd, (_, process) in list(self._children.items()):
            kill_session(process.pid)
            self._bury(pidfd)
        if not self._poll.closed:
            self._poll.close()
            os.close(self._has_news)

    def _has_child(self, pid: int) -> bool:
        # It is not reaped before it is taken out here, so the pid is still its own.
        return any(process.pid == pid for _, process in self._children.values())

    def _spawn(self, slot: int) -> int:
        fds = (self._posts.socket_of(slot).fileno(), self._posts.slips_of(slot).fd)
        process = subprocess.Popen(
            self._command(slot), pass_fds=fds, start_new_session=True, env=self._environment()
        )
        try:
            pidfd = os.pidfd_open(process.pid)
        except OSError:
            process.kill()
            process.wait()
            raise
        self._children[pidfd] = (slot, process)
        self._poll.register(pidfd, select.EPOLLIN)
        return process.pid

    def _bury(self, pidfd: int) -> Event:
        slot, process = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        kill_session(process.pid)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Event(What.DIED, slot, process.pid, status)

    def _command(self, slot: int) -> list[str]:
        slips, workplace = self._posts.slips_of(slot), self._posts.workplace_of(slot)
        recycling = self._posts.recycling_of(slot)
        given = {
            "slip": self._posts.slip_of(slot),
            "jobs-fd": self._posts.socket_of(slot).fileno(),
            "slips-fd": slips.fd,
            "slips-count": slips.count,
            "maker": os.getpid(),
            "slots": workplace.slots,
            "threads": workplace.threads,
            "worker-id": workplace.worker_id,
            "database": workplace.database,
            "max-jobs": recycling.max_jobs,
            "max-memory": recycling.max_memory,
        }
        options = [f"--{name}={value}" for name, value in given.items() if value is not None]
        flags = ["--events"] if slot == EVENTS_SLOT else []
        return [sys.executable, "-m", "django_jobs.runner", *options, *flags]

    def _environment(self) -> dict[str, str]:
        # The child must find the modules this process finds: manage.py's folder is on sys.path only.
        return os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
