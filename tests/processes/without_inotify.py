"""Imported by a worker that is to live without inotify, as where all watches are in use."""

from __future__ import annotations

import ctypes
import errno

from django_jobs.engines.sqlite import inotify


def _no_instance_left(flags: int) -> int:
    ctypes.set_errno(errno.EMFILE)
    return -1


inotify._libc.inotify_init1 = _no_instance_left
