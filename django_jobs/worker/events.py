"""What receivers of signals are to be told, and the one runner that does nothing else.

It is made when there is something to tell, so where nobody listens there is none. Were events sent to those
who run jobs, one could wait for hours behind long ones, and a receiver that hangs would keep a slot from all.

One batch is out at a time. For each event in it the runner names its number on its slip, so an event has a
limit on its time and, when one has ended its runner, those behind it are told by the next: none twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from django_jobs import logs
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.events import EVENTS_SLOT, Event, batch_to_bytes
from django_jobs.wire.slips import Run, SlipState, StopReason
from django_jobs.wire.sockets import receive, send
from django_jobs.worker import starting
from django_jobs.worker.event_line import EventLine
from django_jobs.worker.runners import Runners
from django_jobs.worker.sessions import kill_session
from django_jobs.worker.starting import What
from django_jobs.worker.verdicts import cause_of_death

# So many events, or so many bytes of them, wait at most; further ones are dropped.
MOST, MOST_BYTES = 10_000, 8 * 1024 * 1024
# So many, or about so many bytes, are told at a time.
BATCH, BATCH_BYTES = 200, 256 * 1024
# While a receiver is at work it is looked at this often (seconds); a runner that could not be made, or ended
# before it told anything, is replaced after so long; what is dropped is logged once in so long.
LOOK_EVERY, PAUSE, SAY_EVERY = 0.25, 1.0, 60.0
# A runner that has a batch and says for so long (seconds) that it tells none of it hangs: before the first
# event, or behind the last. It may have to set the project up first.
STUCK_AFTER = 60.0


@dataclass(slots=True)
class _Told:
    """A run that was told to stop, and when its runner is killed (CLOCK_BOOTTIME)."""

    run: Run
    kill_ns: int


class Events:
    """The events of this worker, from the desk's commit to the receivers.

    Args:
        runners: whose starter makes this runner too.
        timeout: how long the receivers of one event may take (seconds).
        kill_after: how much longer they may clean up.
    """

    def __init__(self, line: EventLine, runners: Runners, *, timeout: float, kill_after: float) -> None:
        self._line, self._slip, self._runners = line, line.slips[0], runners
        self._timeout_ns, self._kill_after_ns = int(timeout * 1e9), int(kill_after * 1e9)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._out: list[bytes] = []
        self._pid = 0
        self._ordered = False
        self._start_at = self._say_at = 0.0
        self._stopped: _Told | None = None
        self._told_at = 0.0  # when it was seen at work last, or was given work
        self._dropped = 0

    def fileno(self) -> int:
        """Return the socket on which the runner reports."""
        return self._line.ours.fileno()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to be told."""
        return not self._waiting and not self._out

    def add(self, events: Iterable[bytes]) -> None:
        """Have these told, if there is room for them."""
        for event in events:
            if len(self._waiting) < MOST and self._bytes + len(event) <= MOST_BYTES:
                self._waiting.append(event)
                self._bytes += len(event)
            else:
                self._dropped += 1
        if self._dropped and boottime() >= self._say_at:
            self._say_at = boottime() + SAY_EVERY
            self._regret("they come faster than receivers take them")

    def collect(self) -> None:
        """Read how far the runner has come with its batch."""
        with suppress(BlockingIOError):
            while (message := receive(self._line.ours)) is not None:
                self._settle(int(message))

    def hear(self, event: starting.Event) -> None:
        """Take note of what happened to the runner."""
        match event.what:
            case What.BORN:
                self._pid, self._ordered = event.pid, False
            case What.FAILED:
                self._ordered, self._start_at = False, boottime() + PAUSE
            case _:
                self._bury(event.status)

    def orphan(self) -> None:
        """Go on without the nursery that made the runner."""
        self._ordered = False
        if self._pid:
            kill_session(self._pid)
            self._bury(9)

    def tend(self, *, staffing: bool) -> float:
        """Hand out the next batch, stop what takes too long; return when to look again (seconds).

        Args:
            staffing: whether a runner may be made now.
        """
        if self.idle:
            return float("inf")
        if not self._pid:
            return self._staff() if staffing else LOOK_EVERY
        if not self._out:
            self._hand_out()
        return self._enforce()

    def drop(self) -> None:
        """Say what is left untold at the end."""
        self._dropped += len(self._waiting) + len(self._out)
        self._regret("the worker has ended")

    def _staff(self) -> float:
        if not self._ordered and boottime() >= self._start_at:
            self._ordered = True
            self._runners.starter.start(EVENTS_SLOT)
        return LOOK_EVERY

    def _hand_out(self) -> None:
        size = 0
        while self._waiting and len(self._out) < BATCH and size < BATCH_BYTES:
            event = self._waiting.popleft()
            size += len(event)
            self._out.append(event)
        self._bytes -= size
        self._told_at = boottime()
        try:
            send(self._line.ours, batch_to_bytes(self._out), wait=False)
        except BlockingIOError:  # no descriptor or memory for it now
            self._settle(0)

    def _settle(self, told: int) -> None:
        """Put what was not told back to the front."""
        left, self._out = self._out[told:], []
        self._waiting.extendleft(reversed(left))
        self._bytes += sum(map(len, left))

    def _enforce(self) -> float:
        now, run = boottime_ns(), self._slip.run()
        if self._stopped is not None and run not in (None, self._stopped.run):
            self._stopped = None  # the order came too late, and the next event is not who it was for
        if self._stopped is not None:
            # Also where it has reported since: it ends by itself then, or has to be made to.
            if now >= self._stopped.kill_ns:
                self._runners.starter.kill(EVENTS_SLOT, self._pid)
            return LOOK_EVERY
        if run is None:
            if boottime() >= self._told_at + STUCK_AFTER:
                self._runners.starter.kill(EVENTS_SLOT, self._pid)
            return LOOK_EVERY
        self._told_at = boottime()
        if now >= run.started_ns + self._timeout_ns:
            self._stop(run, now)
        return min(LOOK_EVERY, max(0.0, (run.started_ns + self._timeout_ns - now) / 1e9))

    def _stop(self, run: Run, now: int) -> None:
        self._stopped = _Told(run, now + self._kill_after_ns)
        # The slip first: the signal only makes the runner look there.
        self._slip.stop(run, StopReason.TIMEOUT)
        self._runners.starter.interrupt(EVENTS_SLOT, self._pid)

    def _bury(self, status: int) -> None:
        self.collect()  # its last report may still be in the socket
        run, left = self._slip.run(), self._slip.state is SlipState.LEAVING
        if self._out:
            self._settle(self._told_before_death(run, status))
        self._slip.say(SlipState.EMPTY)
        self._pid, self._ordered, self._stopped = 0, False, None
        self._start_at = 0.0 if run or left else boottime() + PAUSE

    def _told_before_death(self, run: Run | None, status: int) -> int:
        if run is not None:
            event, how = Event.from_bytes(self._out[run.token]), cause_of_death(status)
            how = f"took longer than RECEIVER_TIMEOUT and {how}" if self._stopped else how
            logs.receiver_ended(signal=event.signal, job_id=event.job.id if event.job else None, how=how)
            return run.token + 1
        with suppress(BlockingIOError):
            if receive(self._line.runner) is not None:
                return 0  # nobody had read it yet
        # It died between two of them, or before it named the first: at most once is what was promised.
        self._dropped += len(self._out)
        self._regret("the process that was to tell them died")
        return len(self._out)

    def _regret(self, why: str) -> None:
        if self._dropped:
            logs.untold(events=self._dropped, why=why)
            self._dropped = 0
