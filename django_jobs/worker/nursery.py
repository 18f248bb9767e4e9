"""The fork server: makes runners, buries them, and kills them all when nobody renews the lease.

A process of its own, forked from the parent before it has threads or connections, with one
thread, so that forking again is always safe and takes milliseconds. It

1. forks a runner for a slot when the parent says so,
2. interrupts a runner, or kills its whole session, when the parent says so,
3. reports every death with its wait status, after killing what the dead left of its session,
4. kills every runner when the lease in shared memory has passed, and stays,
5. kills every runner and exits when the parent is gone.

The parent's death is noticed by the end of the connection, not by PR_SET_PDEATHSIG: a nursery
that died at once could not kill what the runners have started. It alone signals its children:
a pid it has not reaped cannot have become another's.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django_jobs.runner.birth import become_runner, flush_output, live
from django_jobs.runner.deliver import deliver
from django_jobs.runner.post import Post
from django_jobs.runner.serve import serve
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.events import EVENTS_SLOT
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import receive, send, socket_pair
from django_jobs.worker.posts import Posts
from django_jobs.worker.sessions import interrupt, kill_session

Serve = Callable[[int], None]


def serving(posts: Posts) -> Serve:
    """Return what a runner of this worker does in its place."""

    def live_in(slot: int) -> None:
        post = Post(
            slip=posts.slip_of(slot),
            jobs=posts.socket_of(slot),
            slips=posts.slips_of(slot),
            workplace=posts.workplace_of(slot),
            recycling=posts.recycling_of(slot),
        )
        deliver(post) if slot == EVENTS_SLOT else serve(post)

    return live_in


def fork_nursery(
    *, slips: Slips, close_in_child: Sequence[socket.socket], serve: Serve
) -> tuple[int, socket.socket]:
    """Fork the nursery off this process, which must have neither threads nor connections.

    Args:
        slips: the worker's page, with the lease.
        close_in_child: sockets that only the parent may hold.
        serve: what a runner does with its slot.

    Returns:
        The nursery's pid and the parent's end of the connection to it.
    """
    ours, theirs = socket_pair()
    flush_output()  # or each child would print what is waiting here once more
    # What is there now will stay. Before the fork, or on either side the collector would write to each object
    # that it looks at, and what both share would be there twice.
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        for end in (ours, *close_in_child):
            end.close()
        live(lambda: Nursery(control=theirs, slips=slips, serve=serve).run())
    theirs.close()
    return pid, ours


class Nursery:
    """The fork server's loop."""

    def __init__(self, *, control: socket.socket, slips: Slips, serve: Serve) -> None:
        self._control, self._slips, self._serve = control, slips, serve
        self._children: dict[int, int] = {}  # pid → slot
        self._selector = selectors.DefaultSelector()
        self._deaths, self._wakeup = socket.socketpair()
        self._parent_lives = True

    def run(self) -> None:
        """Serve the parent; end every runner when it is gone."""
        self._listen()
        while self._parent_lives:
            events = self._selector.select(self._until_lease_passes())
            for key, _ in events:
                key.data()
            self._guard_lease()
        self._kill_all("died")

    def _listen(self) -> None:
        for end in (self._deaths, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._selector.register(self._deaths, selectors.EVENT_READ, self._bury)
        self._selector.register(self._control, selectors.EVENT_READ, self._obey)

    def _obey(self) -> None:
        with suppress(BlockingIOError):
            while (order := receive(self._control)) is not None:
                verb, slot, pid = json.loads(order)
                if verb == "start":
                    self._start(slot)
                elif self._children.get(pid) == slot:
                    interrupt(pid) if verb == "interrupt" else _kill(pid)
            self._parent_lives = False

    def _start(self, slot: int) -> None:
        maker = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # too many processes, no memory: the runners there are go on
            self._report("failed", slot, 0, error.errno or 0)
            return
        if pid == 0:
            live(lambda: self._be_runner(slot, maker))
        self._children[pid] = slot
        self._report("born", slot, pid, 0)

    def _be_runner(self, slot: int, maker: int) -> None:
        become_runner(maker=maker, new_session=True)
        for end in (self._control, self._deaths, self._wakeup):
            end.close()
        self._selector.close()
        self._serve(slot)

    def _bury(self) -> None:
        with suppress(BlockingIOError):
            while self._deaths.recv(4096):
                continue
        while (dead := _next_dead()) is not None:
            # Its own children may outlive it; they go before the pid that names the session is free.
            kill_session(dead)
            _, status = os.waitpid(dead, 0)
            slot = self._children.pop(dead, None)
            if slot is not None:
                self._report("died", slot, dead, status)

    def _report(self, *event: Any) -> None:
        with suppress(BrokenPipeError):
            send(self._control, json.dumps(event).encode())

    def _until_lease_passes(self) -> float | None:
        if not self._children:
            return None
        return max(0.0, (self._slips.lease_ns - boottime_ns()) / 1e9) + 0.001

    def _guard_lease(self) -> None:
        if self._children and boottime_ns() > self._slips.lease_ns:
            self._kill_all("lapsed")

    def _kill_all(self, verb: str) -> None:
        for pid in self._children:
            _kill(pid)
        while self._children:
            pid, status = os.waitpid(-1, 0)
            slot = self._children.pop(pid, None)
            if slot is not None:
                self._report(verb, slot, pid, status)


def _kill(child: int) -> None:
    # One that was forked a moment ago does not lead its session yet, and would not be found there.
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    kill_session(child)


def _next_dead() -> int | None:
    try:
        # WNOWAIT leaves it a zombie, so that its pid still names its session.
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else None
