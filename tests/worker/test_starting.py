"""Births, deaths and births that fail are told, by both ways of making runners."""

from __future__ import annotations

import errno
import gc
import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django_jobs.context import Workplace
from django_jobs.recycling import Recycling
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import receive, socket_pair
from django_jobs.worker import nursery as nursery_module
from django_jobs.worker.event_line import EventLine
from django_jobs.worker.nursery import Nursery
from django_jobs.worker.places import Places
from django_jobs.worker.posts import Posts
from django_jobs.worker.starting import Event, ExecStarter, NurseryStarter, Starter, What


@pytest.fixture
def slips() -> Slips:
    """Return a page whose lease is good."""
    made = Slips.create(2)
    made.lease_ns = boottime_ns() + 60 * 10**9
    return made


@pytest.fixture
def jobs() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a job socket."""
    ours, theirs = socket_pair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def execs(slips: Slips, jobs: tuple[socket.socket, socket.socket]) -> Iterator[ExecStarter]:
    """Return a starter whose runners are a program that only waits."""
    workplace = Workplace("w", 2, "default")
    # Which of the two sockets a runner reads makes no difference to this program.
    events = EventLine()
    posts = Posts(
        Places(1),
        jobs[1],
        jobs[1],
        slips=slips,
        workplace=workplace,
        recycling=Recycling(),
        events=events,
    )
    starter = ExecStarter(posts)
    starter._command = lambda slot: ["sleep", "600"]  # type: ignore[method-assign]
    yield starter
    starter.stop()
    events.close()


@pytest.fixture
def nurseries(slips: Slips) -> Iterator[Callable[..., NurseryStarter]]:
    """Return a function that makes a nursery with runners that live by the given function."""
    made: list[NurseryStarter] = []

    def make(serve: Callable[[int], Any]) -> NurseryStarter:
        made.append(NurseryStarter(slips=slips, close_in_child=[], serve=serve))
        return made[-1]

    yield make
    for starter in made:
        starter.stop()


def _wait(slot: int) -> None:
    while True:
        signal.pause()


def _next(starter: Starter, count: int = 1) -> list[Event]:
    found: list[Event] = []
    while len(found) < count:
        assert select.select([starter], [], [], 20)[0], "no event came"
        found += starter.events()
    return found


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _descriptors() -> list[str]:
    gc.collect()  # pages that earlier tests have left must not be unmapped between two looks
    return sorted(os.listdir("/proc/self/fd"))


def test_an_execd_runner_is_born_killed_and_reaped(execs: ExecStarter) -> None:
    before = _descriptors()
    execs.start(1)
    (born,) = _next(execs)
    assert (born.what, born.slot) == (What.BORN, 1)
    execs.kill(1, born.pid)
    assert _next(execs) == [Event(What.DIED, 1, born.pid, signal.SIGKILL)]
    assert _is_gone(born.pid)
    assert _descriptors() == before


def test_no_collector_writes_to_what_parent_and_runners_share(
    nurseries: Callable[..., NurseryStarter],
) -> None:
    ours, theirs = os.pipe()

    def tell(slot: int) -> None:
        os.write(theirs, str(gc.get_freeze_count()).encode())
        _wait(slot)

    # So many that what else is frozen, or frozen and no more, does not count beside them.
    before, new = gc.get_freeze_count(), [[number] for number in range(100_000)]
    starter = nurseries(tell)
    starter.start(0)
    _next(starter)
    in_runner = int(os.read(ours, 100))
    os.close(ours)
    os.close(theirs)
    assert min(in_runner, gc.get_freeze_count()) >= before + len(new) // 2


def test_an_execd_runner_gets_the_signal_to_stop(execs: ExecStarter) -> None:
    execs.start(0)
    (born,) = _next(execs)
    execs.interrupt(0, born.pid)
    assert _next(execs) == [Event(What.DIED, 0, born.pid, signal.SIGALRM)]


def test_only_its_own_children_are_killed_by_exec(execs: ExecStarter) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        execs.kill(0, stranger.pid)
        execs.interrupt(0, stranger.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_program_that_cannot_be_started_is_a_failed_birth(
    execs: ExecStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    execs.start(0)
    assert _next(execs) == [Event(What.FAILED, 0, 0, errno.EAGAIN)]


def test_a_program_that_cannot_be_watched_is_a_failed_birth(
    execs: ExecStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(pid: int) -> int:
        seen.append(pid)
        raise OSError(errno.EMFILE, "too many descriptors")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    execs.start(0)
    assert _next(execs) == [Event(What.FAILED, 0, 0, errno.EMFILE)]
    assert _is_gone(seen[0])


def test_stopping_twice_is_borne_by_exec(execs: ExecStarter) -> None:
    execs.start(0)
    (born,) = _next(execs)
    execs.stop()
    execs.stop()
    assert _is_gone(born.pid)


def test_a_forked_runner_is_born_killed_and_reaped(nurseries: Callable[..., NurseryStarter]) -> None:
    starter = nurseries(_wait)
    starter.start(0)
    (born,) = _next(starter)
    assert (born.what, born.slot) == (What.BORN, 0)
    starter.kill(0, born.pid)
    assert _next(starter) == [Event(What.DIED, 0, born.pid, signal.SIGKILL)]
    assert _is_gone(born.pid)


def test_a_runner_that_leads_no_session_yet_is_killed_as_well(
    nurseries: Callable[..., NurseryStarter], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It gets no further than this, as one does that has just been forked on a busy machine.
    monkeypatch.setattr(nursery_module, "become_runner", lambda **_: signal.pause())
    starter = nurseries(_wait)
    starter.start(0)
    (born,) = _next(starter)
    starter.kill(0, born.pid)
    assert _next(starter) == [Event(What.DIED, 0, born.pid, signal.SIGKILL)]
    starter.start(1)
    _next(starter)
    starter.stop()  # and ends although a runner of this kind is there


def test_only_the_runner_that_is_meant_gets_the_signal_to_stop(
    nurseries: Callable[..., NurseryStarter],
) -> None:
    # The handler that the tests' own time limit has here would be inherited.
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    starter = nurseries(_wait)
    signal.signal(signal.SIGALRM, before)
    starter.start(0)
    starter.start(1)
    first, second = _next(starter, 2)
    starter.interrupt(1, first.pid)  # not its slot: nobody is meant
    starter.interrupt(0, first.pid)
    assert _next(starter) == [Event(What.DIED, 0, first.pid, signal.SIGALRM)]
    assert not _is_gone(second.pid)


def test_the_nursery_kills_only_who_it_made_for_that_slot(nurseries: Callable[..., NurseryStarter]) -> None:
    starter = nurseries(_wait)
    starter.start(0)
    (born,) = _next(starter)
    starter.kill(1, born.pid)
    starter.start(1)
    (second,) = _next(starter)  # so the order before it has been read
    assert second.what is What.BORN
    assert not _is_gone(born.pid)


def test_a_runner_that_fails_tells_why(
    nurseries: Callable[..., NurseryStarter], capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(slot: int) -> None:
        raise ValueError("no good")

    starter = nurseries(fail)
    starter.start(0)
    born, died = _next(starter, 2)
    assert (born.what, died.what, os.waitstatus_to_exitcode(died.status)) == (What.BORN, What.DIED, 1)
    assert "ValueError: no good" in capfd.readouterr().err


def test_a_fork_that_fails_leaves_the_nursery_alive(slips: Slips, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "too many processes")

    ours, theirs = socket_pair()
    with ours, theirs:
        nursery = Nursery(control=theirs, slips=slips, serve=_wait)
        monkeypatch.setattr(os, "fork", refuse)
        nursery._start(1)
        assert json.loads(receive(ours) or b"") == ["failed", 1, 0, errno.EAGAIN]
        for end in (nursery._deaths, nursery._wakeup):
            end.close()


def test_the_end_of_the_nursery_is_an_event_and_orders_to_it_are_borne(
    nurseries: Callable[..., NurseryStarter],
) -> None:
    starter = nurseries(_wait)
    os.kill(starter._pid, signal.SIGSTOP)
    starter.start(0)  # unread when it dies
    os.kill(starter._pid, signal.SIGKILL)
    os.waitid(os.P_PID, starter._pid, os.WEXITED | os.WNOWAIT)
    starter.start(1)
    assert [event.what for event in _next(starter)] == [What.ORPHANED]


def test_all_runners_end_with_the_nursery_they_are_stopped_by(
    nurseries: Callable[..., NurseryStarter],
) -> None:
    starter = nurseries(_wait)
    starter.start(0)
    starter.start(1)
    born = _next(starter, 2)
    starter.stop()
    starter.stop()
    assert all(_is_gone(event.pid) for event in born)


def test_runners_are_killed_when_the_lease_has_passed_and_made_again_after_it(
    nurseries: Callable[..., NurseryStarter], slips: Slips
) -> None:
    starter = nurseries(_wait)
    slips.lease_ns = boottime_ns() + 10**8
    starter.start(0)
    born, lapsed = _next(starter, 2)
    assert (lapsed.what, lapsed.pid) == (What.LAPSED, born.pid)
    slips.lease_ns = boottime_ns() + 60 * 10**9
    starter.start(0)
    assert [event.what for event in _next(starter)] == [What.BORN]
