"""What can be done with a whole queue; importable before `django.setup()`."""

from __future__ import annotations


def pause_queue(name: str) -> bool:
    """Let no worker take jobs of a queue until it is resumed.

    What runs goes on, and jobs can still be enqueued. Workers obey within a second of the commit of
    the transaction this is called in.

    Args:
        name: the queue's whole name; it needs no job yet.

    Returns:
        Whether this paused it; False when it was paused already.

    Raises:
        TypeError, ValueError: this cannot be a queue's name.
    """
    from django_jobs import queue_verbs

    return queue_verbs.pause(name)


def resume_queue(name: str) -> bool:
    """Let workers take jobs of a paused queue again, at once.

    Args:
        name: the queue's whole name.

    Returns:
        Whether this resumed it; False when it was not paused.

    Raises:
        TypeError, ValueError: this cannot be a queue's name.
    """
    from django_jobs import queue_verbs

    return queue_verbs.resume(name)
