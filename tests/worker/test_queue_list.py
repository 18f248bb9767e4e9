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
        (["m*", "reports"], [], ["mail", "reports"], "m*, reports"),
        (["*l*"], ["def*"], ["mail"], "*l* except def*"),
        (["mail*"], [], ["mail"], "mail*"),
        (["ail*", "*mai", "m?il", "[m]ail", "m.il", "Mail"], [], [], "*mai, Mail, [m]ail, ail*, m.il, m?il"),
        (["*"], ["*a*"], ["reports"], "* except *a*"),
    ],
)
def test_a_worker_serves_what_is_named_and_not_excluded(
    names: list[str], exclude: list[str], served: list[str], told: str
) -> None:
    queues = QueueList(names=names, exclude=exclude)
    assert queues.among(ALL) == served
    assert str(queues) == told


@pytest.mark.parametrize(
    ("names", "exclude", "nothing"),
    [
        ([], [], False),
        ([], ["a", "b*"], False),
        ([], ["*"], True),
        (["a"], ["a"], True),
        (["a", "b"], ["a"], False),
        (["a1", "a2*"], ["a*"], True),
        (["a*"], ["a1", "a2"], False),
        (["a*"], ["*b"], False),
        (["a*b"], ["a*", "c"], True),
    ],
)
def test_a_choice_that_leaves_no_queue_is_known(names: list[str], exclude: list[str], nothing: bool) -> None:
    assert QueueList(names=names, exclude=exclude).serves_nothing is nothing


def test_a_star_stands_for_any_character_there_is() -> None:
    names = ["a\nb", "a🛫b", "ab", "a*b"]
    assert QueueList(names=["a*b"]).among([*names, "ab ", "xab"]) == names
