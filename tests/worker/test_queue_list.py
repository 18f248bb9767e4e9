"""Which queues a worker serves."""

from __future__ import annotations

import pytest

from django_jobs.worker.queue_list import QueueList

ALL = ["default", "mail", "reports"]


@pytest.mark.parametrize(
    ("names", "exclude", "served", "told"),
    [
        ([], [], ALL, "all queues"),
        (["mail"], [], ["mail"], "mail"),
        (["reports", "mail", "none"], [], ["mail", "reports"], "mail, none, reports"),
        ([], ["mail"], ["default", "reports"], "all queues except mail"),
        (["mail", "reports"], ["mail"], ["reports"], "mail, reports except mail"),
        (["mail"], ["mail"], [], "mail except mail"),
    ],
)
def test_a_worker_serves_what_is_named_and_not_excluded(
    names: list[str], exclude: list[str], served: list[str], told: str
) -> None:
    queues = QueueList(names=names, exclude=exclude)
    assert queues.among(ALL) == served
    assert str(queues) == told
