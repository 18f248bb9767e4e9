"""What a job may make of its process, put back for the next: folder, umask, signals, streams, limits.

What Python itself keeps is left as it is: modules and their globals, the environment, the locale.
A library that is imported by the first job that needs it sets such things once, and would miss
them in the second.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

# The public ones make enums of their answers, which takes up to fifty times as long.
from _signal import getsignal, pthread_sigmask  # type: ignore[import-not-found]
from operator import is_not

from django_jobs.wire.sockets import identity

_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
# Those that a process meets; to ask for the others as well would double what asking takes.
_LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CORE,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_STANDARD = (0, 1, 2)


class Surroundings:
    """This process as it is when this is made.

    Attributes:
        sound: whether all could be put back so far; what could not be never can.
    """

    def __init__(self) -> None:
        self.sound = True
        # The folder itself and not its name, which may be another's by the time it is needed, or nobody's.
        self._folder = os.open(".", os.O_PATH | os.O_CLOEXEC)
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._mask = pthread_sigmask(signal.SIG_BLOCK, [])
        self._handlers = list(map(getsignal, _SIGNALS))
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._files = list(map(identity, _STANDARD))
        self._limits = list(map(resource.getrlimit, _LIMITS))

    def restore(self) -> None:
        """Put back what a job has changed; where that cannot be done this is not sound any more."""
        self._restore_signals()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        os.umask(self._umask)
        try:
            os.fchdir(self._folder)
            self._restore_limits()
        except (OSError, ValueError):  # the job has closed our files, or given up a right for good
            self.sound = False
        self.sound = self.sound and self._files == list(map(identity, _STANDARD))

    def _restore_signals(self) -> None:
        # First of all, or an alarm that the job has set would end this process a moment later.
        for timer in _TIMERS:
            signal.setitimer(timer, 0)
        signal.set_wakeup_fd(-1)
        # By identity: a handler of a job's own class may say that it equals any other.
        if any(map(is_not, map(getsignal, _SIGNALS), self._handlers)):
            self._restore_handlers()
        pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _restore_handlers(self) -> None:
        for number, handler in zip(_SIGNALS, self._handlers, strict=True):
            if getsignal(number) is not handler:
                # None is a handler that Python did not install.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _restore_limits(self) -> None:
        if list(map(resource.getrlimit, _LIMITS)) != self._limits:
            for which, limits in zip(_LIMITS, self._limits, strict=True):
                if resource.getrlimit(which) != limits:
                    resource.setrlimit(which, limits)
