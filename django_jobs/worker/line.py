"""Jobs on their way through one socket: in the buffer, or out (in the socket or in a runner).

One message is one job: the kernel gives each to a runner that is idle, and none waits behind a
running one. The parent keeps the runners' end as well and can take back what nobody has read.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Container, Iterable, Set

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.wire.messages import Assignment, Remark, Report, report_from_bytes
from django_jobs.wire.sockets import receive, send


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

    def __len__(self) -> int:
        return len(self._buffer) + len(self.out)

    def add(self, jobs: Iterable[ClaimedJob]) -> None:
        """Put newly claimed jobs at the end of the buffer."""
        self._buffer.extend(jobs)

    def refill(self, most: int) -> None:
        """Hand jobs out until so many are out, the buffer is empty or the socket is full."""
        while self._buffer and len(self.out) < most:
            job = self._buffer[0]
            try:
                send(self.ours, _assignment(job).to_bytes(), wait=False)
            except BlockingIOError:
                return
            self._buffer.popleft()
            self.out[Held(job.id, job.token)] = job

    def reports(self) -> list[tuple[ClaimedJob, Report]]:
        """Return all that the runners have reported about jobs that are out, oldest first."""
        found = []
        while True:  # one report a job that is out and a few remarks a second, so this ends
            try:
                message = receive(self.ours)
            except BlockingIOError:
                break
            if message is None:
                break
            report = report_from_bytes(message)
            held = Held(report.job_id, report.token)
            job = self.out.get(held) if isinstance(report, Remark) else self.out.pop(held, None)
            if job is not None:
                found.append((job, report))
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
            assignment = Assignment.from_bytes(message)
            job = self.out.pop(Held(assignment.job_id, assignment.token), None)
            if job is not None:
                back.append(job)
        self._buffer.extendleft(reversed(back))

    def settle(self, held: Held) -> ClaimedJob | None:
        """Take a job out that ended in another way than by a report; None when it is not out."""
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


def _assignment(job: ClaimedJob) -> Assignment:
    return Assignment(
        job_id=job.id,
        token=job.token,
        function=job.function,
        queue=job.queue,
        priority=job.priority,
        max_attempts=job.max_attempts,
        round=job.round,
        number=job.number,
        options=job.options,
        meta=job.meta,
        args=job.args,
    )
