"""Jobs on their way through one socket: in the buffer, or out (in the socket or in a runner).

One message is one job: the kernel gives each to a runner that is idle, and none waits behind a
running one. The parent keeps the runners' end as well and can take back what nobody has read.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Container, Set
from operator import attrgetter

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.logs import logger
from django_jobs.wire.messages import Assignment, Remark, Report, fence, fence_of, report_from_bytes
from django_jobs.wire.sockets import receive, send

_assigned = attrgetter(*("id" if name == "job_id" else name for name in Assignment._fields))

# What was reported: the fence of the run, its job, what came of it.
Reported = tuple[Held, ClaimedJob, Report]


class Line:
    """The jobs this worker holds for the runners of one socket, and has not settled.

    Attributes:
        ours, runners: the two ends of the socket.
        out: the jobs that are in the socket or in a runner.
    """

    def __init__(self, ours: socket.socket, runners: socket.socket) -> None:
        self.ours, self.runners = ours, runners
        self.ours.setblocking(False)
        self._buffer: deque[ClaimedJob] = deque()
        self.out: dict[Held, ClaimedJob] = {}
        self._fences: dict[bytes, Held] = {}  # of those that are out, as messages name them

    def __len__(self) -> int:
        return len(self._buffer) + len(self.out)

    @property
    def has_waiting(self) -> bool:
        """Whether jobs are left that are not handed out."""
        return bool(self._buffer)

    def add(self, *jobs: ClaimedJob) -> None:
        """Put newly claimed jobs at the end of the buffer."""
        self._buffer.extend(jobs)

    def refill(self, most: int) -> None:
        """Hand jobs out until so many are out, the buffer is empty or the socket is full."""
        while self._buffer and len(self.out) < most:
            job = self._buffer[0]
            message = _message(job)
            try:
                send(self.ours, message, wait=False)
            except BlockingIOError:
                return
            self._buffer.popleft()
            held = self._fences[fence_of(message)] = Held(job.id, job.token)
            self.out[held] = job

    def reports(self) -> list[Reported]:
        """Return all that the runners have reported about jobs that are out, oldest first."""
        found = []
        while True:  # one report a job that is out and a few remarks a second, so this ends
            try:
                message = receive(self.ours)
            except BlockingIOError:
                break
            if message is None:
                break
            held = self._fences.get(named := fence_of(message))
            if held is None:
                continue
            try:
                report = report_from_bytes(message, held.id)
            except (struct.error, ValueError, LookupError, TypeError) as error:
                # A job has written into the socket itself. Its runner's own report is still to come.
                logger.warning("what came as a report of job %s cannot be read: %s", held.id, error)
                continue
            if isinstance(report, Remark):
                job = self.out[held]
            else:
                job = self.out.pop(held)
                del self._fences[named]
            found.append((held, job, report))
        return found

    def recall(self) -> None:
        """Take back what no runner has read, to the front of the buffer in its old order."""
        back = []
        while True:
            try:
                message = receive(self.runners)
            except BlockingIOError:
                break
            if message is None:
                break
            held = self._fences.pop(fence_of(message), None)
            if held is not None:
                back.append(self.out.pop(held))
        self._buffer.extendleft(reversed(back))

    def settle(self, held: Held) -> ClaimedJob | None:
        """Take a job out that ended in another way than by a report; None when it is not out."""
        self._fences.pop(fence(*held), None)
        return self.out.pop(held, None)

    def empty_buffer(self) -> list[ClaimedJob]:
        """Take out all jobs that are not handed out."""
        jobs = list(self._buffer)
        self._buffer.clear()
        return jobs

    def take_out(self, *, queues: Set[str] = frozenset(), held: Container[Held] = ()) -> list[ClaimedJob]:
        """Take the jobs of these queues, and those of these claims, out of the buffer."""
        found: list[ClaimedJob] = []
        kept: deque[ClaimedJob] = deque()
        for job in self._buffer:
            (found if job.queue in queues or Held(job.id, job.token) in held else kept).append(job)
        self._buffer = kept
        return found

    def close(self) -> None:
        """Close both ends."""
        self.ours.close()
        self.runners.close()


def _message(job: ClaimedJob) -> bytes:
    return Assignment._make(_assigned(job)).to_bytes()
