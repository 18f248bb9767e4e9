"""What the desk does when a pass fails: say so once, then each minute; wait a little longer each time."""

from __future__ import annotations

from django.db import Error

from django_jobs.engines.advice import sentence
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
SAY_EVERY = 60.0


class Trouble:
    """Failures of the desk's passes, from the first to the next success.

    Args:
        alias: the database the desk works on.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._pause = 0.0
        self._say_at = 0.0

    def happened(self, error: Exception) -> float:
        """Take note of a failure; return how long to wait before the next try (seconds)."""
        if boottime() >= self._say_at:
            self._say(error)
            self._say_at = boottime() + SAY_EVERY
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
        return self._pause

    @property
    def lasts(self) -> bool:
        """Whether there was no success since the last failure."""
        return self._pause > 0

    def over(self) -> None:
        """Take note of a success."""
        if self.lasts:
            logger.info("the database answers again")
        self._pause = self._say_at = 0.0

    def _say(self, error: Exception) -> None:
        if isinstance(error, Error):
            logger.error(
                "the database fails, trying again until it answers: %s", sentence(error, self._alias)
            )
        else:
            logger.error("the desk failed and goes on: %s", error, exc_info=error)
