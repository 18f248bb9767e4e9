"""What wakes an idle worker before its next look: the engine's listener, kept open, and not too often."""

from __future__ import annotations

from collections.abc import Set

from django_jobs.engines import Engine
from django_jobs.engines.listening import ANY_QUEUE, Listener
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime
from django_jobs.worker.queue_list import QueueList

# A project may write its database all the time without enqueueing anything: so many wake-ups are heard as
# they come, then one each so often (seconds).
AT_ONCE, REST = 4, 0.01
# A listener that died is opened again after so long (seconds), twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class Waking:
    """Opens a listener when first asked, and another one when that has died; meanwhile there is none."""

    def __init__(self, engine: Engine, *, queues: QueueList) -> None:
        self._engine, self._queues = engine, queues
        self._listener: Listener | None = None
        self._open_at = self._pause = 0.0
        self._paid_until = 0.0  # each wake-up is paid for with a REST, and so many may be owed

    @property
    def listens(self) -> bool:
        """Whether a listener is open."""
        return self._listener is not None

    @property
    def poll_interval(self) -> float:
        """How often to look whatever is heard (seconds)."""
        return (self._listener or Listener).poll_interval

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, None while there is none or while it rests."""
        if self._listener is None or self._resting:
            return None
        try:
            return self._listener.fileno()
        except Exception as error:  # a driver whose connection broke has none any more
            self._died(error)
            return None

    @property
    def next_at(self) -> float:
        """When to ask again whatever the descriptor says (CLOCK_BOOTTIME, seconds)."""
        if self._resting:
            return self._rest_until
        return self._listener.next_at if self._listener else self._open_at

    def heard(self) -> Set[str]:
        """Return the queues of this worker that may have new jobs, ANY_QUEUE where they are not known."""
        if self._resting:
            return frozenset()
        try:
            news = self._news()
        except Exception as error:  # of the kernel's, the driver's or the database's kind
            self._died(error)
            return {ANY_QUEUE}
        if news:
            # The generic cell rate algorithm, as in ITU-T I.371.
            self._paid_until = max(self._paid_until, boottime()) + REST
        return news

    def close(self) -> None:
        """Let go of the listener; bears being called twice. Asked again, it opens another one."""
        if self._listener:
            self._listener.close()
        self._listener = None
        self._open_at = self._paid_until = 0.0

    @property
    def _rest_until(self) -> float:
        return self._paid_until - (AT_ONCE - 1) * REST

    @property
    def _resting(self) -> bool:
        return boottime() < self._rest_until

    def _news(self) -> Set[str]:
        if self._listener is None:
            return self._open() if boottime() >= self._open_at else frozenset()
        news = self._served(self._listener.heard())
        # One of a moment ago may have a better job by now, but alone it wakes nobody: news of queues that are
        # not served here may come all the time.
        return self._served(news | self._listener.recent) if news else frozenset()

    def _served(self, queues: Set[str]) -> Set[str]:
        return {ANY_QUEUE} if ANY_QUEUE in queues else frozenset(self._queues.among(queues))

    def _open(self) -> Set[str]:
        self._listener = self._engine.listener()
        if self._pause:
            logger.info("new jobs wake this worker again")
        self._pause = 0.0
        return {ANY_QUEUE}  # what came before it could hear is to be looked for

    def _died(self, error: Exception) -> None:
        if not self._pause:
            logger.warning("new jobs do not wake this worker, it polls until they do again: %s", error)
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
        self.close()
        self._open_at = boottime() + self._pause
