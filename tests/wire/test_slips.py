"""A slip read by another process never names a run that was not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from django_jobs.wire.slips import Run, Slips, SlipState


@pytest.fixture
def slips() -> Iterator[Slips]:
    """Return a page of three slips."""
    made = Slips.create(3)
    yield made
    made.close()


def test_a_new_page_has_no_runner_and_no_lease(slips: Slips) -> None:
    assert [slips[slot].state for slot in range(3)] == [SlipState.EMPTY] * 3
    assert slips.lease_ns == 0


def test_a_busy_slip_names_its_run_and_no_other_state_does(slips: Slips) -> None:
    run = Run(uuid4(), 2**63 - 1, 2**64 - 1)
    slips[1].busy(*run)
    assert slips[1].run() == run
    for state in (SlipState.EMPTY, SlipState.IDLE, SlipState.RECEIVING):
        slips[1].say(state)
        assert slips[1].run() is None


def test_slips_and_lease_do_not_touch_each_other(slips: Slips) -> None:
    runs = [Run(UUID(int=2**128 - 1 - slot), slot, slot) for slot in range(3)]
    for slot, run in enumerate(runs):
        slips[slot].busy(*run)
    slips.lease_ns = 2**64 - 1
    assert [slips[slot].run() for slot in range(3)] == runs
    assert slips.lease_ns == 2**64 - 1


def test_a_program_that_maps_the_page_again_sees_the_same(slips: Slips) -> None:
    run = Run(uuid4(), 5, 6)
    slips[2].busy(*run)
    again = Slips(os.dup(slips.fd), 3)
    assert again[2].run() == run
    again.close()


def test_no_descriptor_and_no_page_is_left(slips: Slips) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Slips.create(3).close()
    assert len(os.listdir("/proc/self/fd")) == before


def _write_runs_until_orphaned(slips: Slips, *, reader: int) -> None:
    slip, number = slips[0], 0
    while os.getppid() == reader:
        number += 1
        slip.say(SlipState.RECEIVING)
        # Every part of a run tells which one it is.
        slip.busy(UUID(int=number), number, number)
        slip.say(SlipState.IDLE)


def test_a_reader_beside_a_writer_never_sees_half_a_run(slips: Slips) -> None:
    reader, writer = os.getpid(), os.fork()
    if writer == 0:
        try:
            _write_runs_until_orphaned(slips, reader=reader)
        finally:
            os._exit(1)
    try:
        looks, seen = 0, set()
        # Not so many different runs: where the two share a core, there is one a time slice.
        while looks < 20_000 or len(seen) < 100:
            looks += 1
            if run := slips[0].run():
                assert run.job_id.int == run.token == run.started_ns
                seen.add(run.token)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
