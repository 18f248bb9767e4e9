"""Every line the app logs, and where the lines go.

Logger `django_jobs`: INFO for what went well, WARNING for what will be retried, ERROR for what
is over. `runworker` adds a handler of its own only where the project has configured none.
"""

from __future__ import annotations

import logging
import queue
import sys
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener
from uuid import UUID

from django_jobs import sizes
from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome, Status

logger = logging.getLogger("django_jobs")

LINE = "%(asctime)s %(levelname)-7s %(message)s"
# So many lines may wait for a slow handler; further ones are dropped rather than stop the worker.
BACKLOG = 10_000
# So long (seconds) the end of the worker waits for handlers to write what is left.
LAST_LINES = 2.0


def settled(
    *, function: str, number: int, max_attempts: int, outcome: Outcome, cancelled: bool = False
) -> None:
    """Log how a run ended and what became of the job, once the database has it.

    Args:
        cancelled: the job was cancelled on request and does not go where its outcome would lead it.
    """
    level = logging.INFO if cancelled else _level(outcome)
    if not logger.isEnabledFor(level):
        return
    seconds = (outcome.finished_ns - outcome.started_ns) / 1e9
    error = f": {outcome.error.summary}" if outcome.error else ""
    logger.log(
        level,
        "job %s %s %s in %.3f s (attempt %d of %d)%s%s",
        outcome.job_id,
        function,
        _ending(outcome),
        seconds,
        number,
        max_attempts,
        error,
        "; cancelled on request" if cancelled else _what_next(outcome),
        extra={"job_id": str(outcome.job_id), "function": function},
    )


def _ending(outcome: Outcome) -> str:
    on_request = outcome.outcome is AttemptOutcome.CANCELLED
    return "cancelled on request" if on_request else outcome.outcome.value


def _level(outcome: Outcome) -> int:
    if outcome.error is None:
        return logging.INFO
    return logging.ERROR if outcome.final else logging.WARNING


def _what_next(outcome: Outcome) -> str:
    if outcome.error is None:
        return ""
    if outcome.retry_in is None:
        return "; dead"
    return f"; next attempt in {outcome.retry_in:.3g} s" if outcome.retry_in else "; next attempt at once"


def cancelled(*, job_id: UUID, function: str) -> None:
    """Log that a claimed job was cancelled before it began."""
    logger.info("job %s %s cancelled on request before it began", job_id, function)


def refused(*, job_id: UUID, worker_id: str) -> None:
    """Log that an outcome came too late to count."""
    logger.warning("job %s is not %s's any more: its outcome was dropped", job_id, worker_id)


def given_back(*, job_id: UUID, function: str, reason: str) -> None:
    """Log that a job could not be run here and waits for a worker that can."""
    logger.warning("job %s %s was not run: %s", job_id, function, reason)


def unheard(*, jobs: int) -> None:
    """Log that jobs were given back whose claim the database had not answered."""
    logger.warning("%d jobs were not run: the database did not answer when they were claimed", jobs)


def rescued(*, job_id: UUID, function: str, worker_id: str, status: Status) -> None:
    """Log that a job was taken over from a worker that stopped renewing its lease."""
    level = logging.ERROR if status is Status.DEAD else logging.WARNING
    logger.log(
        level, "job %s %s rescued from %s, which stopped renewing it: %s", job_id, function, worker_id, status
    )


def receiver_failed(*, receiver: object, error: BaseException, job_id: UUID | None) -> None:
    """Log what a signal's receiver raised, with its traceback; nothing else comes of it."""
    logger.error(
        "the receiver %r failed, and was told of job %s: %s", receiver, job_id, error, exc_info=error
    )


def receiver_ended(*, signal: str, job_id: UUID | None, how: str) -> None:
    """Log that a receiver has ended the process that told it of something."""
    logger.error("telling receivers of %s, job %s, %s", signal, job_id, how)


def untold(*, events: int, why: str) -> None:
    """Log that receivers were not told of so many events."""
    logger.error("receivers of signals were not told of %d events: %s", events, why)


def too_large(*, function: str, size: int, most: int) -> None:
    """Log that a runner is replaced, and after which job it had grown too large."""
    logger.warning(
        "a runner is replaced: it occupies %s after a job of %s, more than --max-memory=%s",
        sizes.words(size),
        function,
        sizes.words(most),
    )


class ParentLogging:
    """The worker's logging while it runs: no handler can make its loop wait."""

    def __init__(self, *, level: int) -> None:
        self._level = level
        self._before: tuple[list[logging.Handler], bool, int] | None = None
        self._listener: _Listener | None = None

    def start(self) -> None:
        """Put a bounded queue before all handlers of the logger."""
        handlers = _effective_handlers(logger) or [_own_handler()]
        self._before = (logger.handlers[:], logger.propagate, logger.level)
        waiting: queue.Queue[logging.LogRecord] = queue.Queue(BACKLOG)
        self._listener = _Listener(waiting, *handlers, respect_handler_level=True)
        logger.handlers, logger.propagate = [_DroppingQueueHandler(waiting)], False
        if logger.level == logging.NOTSET:
            logger.setLevel(self._level)
        self._listener.start()

    def stop(self) -> None:
        """Write what is waiting and put the logger back as it was."""
        if self._listener and self._before:
            self._listener.stop()
            logger.handlers, logger.propagate, level = self._before
            logger.setLevel(level)
            self._listener = self._before = None


class _Listener(QueueListener):
    """Comes to an end also where a handler does not."""

    queue: queue.Queue[logging.LogRecord | None]

    def enqueue_sentinel(self) -> None:
        """Put the end behind what is waiting; where the queue is full, in the place of the oldest line."""
        while True:
            try:
                return self.queue.put_nowait(None)
            except queue.Full:
                with suppress(queue.Empty):
                    self.queue.get_nowait()

    def stop(self) -> None:
        """Wait for the last lines, but not for ever: the thread ends with the process."""
        self.enqueue_sentinel()
        if self._thread:
            self._thread.join(LAST_LINES)
            self._thread = None


class _DroppingQueueHandler(QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand the record over, or drop it where the handlers cannot keep up."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return


def _effective_handlers(start: logging.Logger) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    current: logging.Logger | None = start
    while current is not None:
        handlers += current.handlers
        current = current.parent if current.propagate else None
    return handlers


def _own_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(LINE))
    return handler
