"""A slip read by another process never names a run that was not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from django_jobs.wire.slips import Run, Slip, Slips, SlipState, StopReason


@pytest.fixture
def slips() -> Iterator[Slips]:
    """Return a page of three slips."""
    made = Slips.create(3)
    yield made
    made.close()


def _begin(slip: Slip, job_id: UUID | None = None, *, token: int = 7, started_ns: int = 5) -> Run:
    job_id, before = job_id or uuid4(), slip.run()
    slip.busy(job_id, token, started_ns)
    return Run(job_id, token, started_ns, before.serial + 1 if before else 1)


def test_a_new_page_has_no_runner_and_no_lease(slips: Slips) -> None:
    assert [slips[slot].state for slot in range(3)] == [SlipState.EMPTY] * 3
    assert slips.lease_ns == 0
    assert not any(slips[slot].stop_asked or slips[slot].cancel_asked()() for slot in range(3))


def test_a_busy_slip_names_its_run_and_no_other_state_does(slips: Slips) -> None:
    run = _begin(slips[1], token=2**63 - 1, started_ns=2**64 - 1)
    assert slips[1].run() == run
    for state in (SlipState.EMPTY, SlipState.IDLE, SlipState.RECEIVING, SlipState.LEAVING):
        slips[1].say(state)
        assert slips[1].run() is None


def test_slips_and_lease_do_not_touch_each_other(slips: Slips) -> None:
    runs = [_begin(slips[slot], UUID(int=2**128 - 1 - slot), token=slot) for slot in range(3)]
    for slot, run in enumerate(runs):
        slips[slot].stop(run, StopReason.TIMEOUT)
        slips[slot].ask_cancel(run)
    slips.lease_ns = 2**64 - 1
    assert [slips[slot].run() for slot in range(3)] == runs
    assert slips.lease_ns == 2**64 - 1


@pytest.mark.parametrize("reason", StopReason)
def test_a_run_that_is_to_stop_is_told_why(slips: Slips, reason: StopReason) -> None:
    slips[1].stop(_begin(slips[1]), reason)
    assert [slips[slot].stop_asked for slot in range(3)] == [None, reason, None]


def test_an_order_for_the_run_before_stops_nobody_even_under_the_same_token(slips: Slips) -> None:
    slip = slips[0]
    before = _begin(slip, token=7)
    _begin(slip, token=7)
    slip.stop(before, StopReason.TIMEOUT)
    slip.ask_cancel(before)
    assert (slip.stop_asked, slip.cancel_asked()()) == (None, False)


def test_no_order_outlives_its_run(slips: Slips) -> None:
    slip = slips[0]
    run = _begin(slip)
    slip.stop(run, StopReason.CANCEL)
    slip.ask_cancel(run)
    assert (slip.stop_asked, slip.cancel_asked()()) == (StopReason.CANCEL, True)
    slip.say(SlipState.EMPTY)  # its runner died; the next one takes over the slip as it is
    _begin(slip)
    assert (slip.stop_asked, slip.cancel_asked()()) == (None, False)


def test_what_outlives_its_run_is_not_told_of_the_next(slips: Slips) -> None:
    slip = slips[0]
    _begin(slip)
    before = slip.cancel_asked()
    slip.ask_cancel(_begin(slip))
    assert (before(), slip.cancel_asked()()) == (False, True)


def test_a_wish_to_cancel_is_no_order_to_stop(slips: Slips) -> None:
    slips[0].ask_cancel(_begin(slips[0]))
    assert (slips[0].stop_asked, slips[0].cancel_asked()()) == (None, True)


def test_a_program_that_maps_the_page_again_sees_the_same(slips: Slips) -> None:
    run = _begin(slips[2])
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
                assert run.job_id.int == run.token == run.started_ns == run.serial
                seen.add(run.token)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
