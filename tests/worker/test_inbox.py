"""What loop and desk tell each other arrives once and in order."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest

from django_jobs.notes import Note
from django_jobs.worker.inbox import Claimed, Drained, Inbox, Outbox
from django_jobs.worker.work import Begun, GivenBack, Work
from tests.worker.making import claimed, completed, held


def _is_heard(inbox: Inbox) -> bool:
    return bool(select.select([inbox._event], [], [], 0)[0])


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return an inbox with nothing in it."""
    made = Inbox()
    yield made
    made.close()


def _work(*numbers: int) -> Work:
    return Work(given_back=[GivenBack(claimed(priority=number)) for number in numbers])


def _numbers(work: Work) -> list[int]:
    return [given.job.priority for given in work.given_back]


def test_work_is_taken_in_the_order_it_was_put(inbox: Inbox) -> None:
    inbox.put(_work(1, 2))
    inbox.put(_work(3))
    assert _numbers(inbox.take(wait=0)) == [1, 2, 3]
    assert not inbox.take(wait=0)


def test_work_that_was_put_back_comes_before_newer(inbox: Inbox) -> None:
    inbox.put(_work(1, 2))
    taken = inbox.take(wait=0)
    inbox.put(_work(3))
    inbox.put_back(taken)
    assert _numbers(inbox.take(wait=0)) == [1, 2, 3]


def test_a_unit_takes_so_many_of_each_kind() -> None:
    job = claimed()
    work = Work([(job, completed(job))] * 3, [GivenBack(job)] * 2, [Begun(held(job), 1)])
    taken = work.take(2)
    assert [len(taken.finished), len(taken.given_back), len(taken.begun)] == [2, 2, 1]
    assert [len(work.finished), len(work.given_back), len(work.begun)] == [1, 0, 0]


def test_newer_words_take_the_place_of_those_that_were_put_back(inbox: Inbox) -> None:
    a, b = held(claimed()), held(claimed())
    inbox.put(Work(notes={a: Note(log="1"), b: Note(log="2")}))
    taken = inbox.take(wait=0)
    inbox.put(Work(notes={a: Note(log="3")}))
    inbox.put_back(taken)
    assert inbox.take(wait=0).notes == {a: Note(log="3"), b: Note(log="2")}
    assert not inbox.take(wait=0)


def test_empty_work_is_none() -> None:
    assert not Work()
    assert Work(begun=[Begun(held(claimed()), 1)])
    assert Work(notes={held(claimed()): Note()})


def test_what_is_under_way_counts_towards_what_is_wanted(inbox: Inbox) -> None:
    inbox.want(10, received=0)
    assert inbox.delivered(4)
    assert inbox.wanted == 6
    inbox.want(10, received=0)
    assert inbox.wanted == 6
    inbox.want(10, received=4)
    assert inbox.wanted == 10
    inbox.want(3, received=0)
    assert inbox.wanted == 0


def test_work_and_wishes_are_heard_together(inbox: Inbox) -> None:
    inbox.hand_over(_work(1), wanted=5, received=0)
    assert _numbers(inbox.take(wait=1000)) == [1]
    assert inbox.wanted == 5


def test_who_hands_over_nothing_and_wants_no_more_disturbs_nobody(inbox: Inbox) -> None:
    inbox.hand_over(Work(), wanted=0, received=0)
    assert not _is_heard(inbox)
    inbox.hand_over(Work(), wanted=1, received=0)
    assert _is_heard(inbox)


def test_nothing_is_wanted_or_delivered_after_the_stop(inbox: Inbox) -> None:
    inbox.want(5, received=0)
    inbox.stop()
    assert inbox.wanted == 0
    assert not inbox.delivered(1)


def test_an_inbox_is_closed_only_when_all_work_is_taken(inbox: Inbox) -> None:
    inbox.put(_work(1))
    inbox.stop()
    assert not inbox.closed
    inbox.take(wait=0)
    assert inbox.closed


def test_news_end_the_wait_also_when_they_come_before_it(inbox: Inbox) -> None:
    inbox.want(1, received=0)
    inbox.take(wait=1000)
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (inbox.take(wait=1000), done.set()))
    waiting.start()
    inbox.stop()
    assert done.wait(20)
    waiting.join()


def test_news_of_another_descriptor_end_the_wait(inbox: Inbox) -> None:
    read, write = os.pipe()
    os.write(write, b"x")
    assert not inbox.take(wait=1000, also=read)
    inbox.put(_work(1))
    assert _numbers(inbox.take(wait=1000, also=read)) == [1]
    os.close(read)
    os.close(write)


def test_a_rest_ends_with_the_stop(inbox: Inbox) -> None:
    resting = threading.Thread(target=inbox.rest, args=(1000,))
    resting.start()
    inbox.stop()
    resting.join(20)
    assert not resting.is_alive()


def test_news_are_heard_in_order_and_the_outbox_is_quiet_after_it() -> None:
    outbox = Outbox()
    assert outbox.take() == []
    outbox.post(Claimed([]))
    outbox.post(Drained())
    assert select.select([outbox], [], [], 0)[0] == [outbox]
    assert outbox.take() == [Claimed([]), Drained()]
    assert select.select([outbox], [], [], 0)[0] == []
    outbox.close()
