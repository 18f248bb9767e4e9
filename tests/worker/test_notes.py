"""What runs say reaches the desk at most once a second, the newest of each, and with the outcome."""

from __future__ import annotations

import pytest

from django_jobs.engines.rows import Held
from django_jobs.notes import Note, Progress
from django_jobs.wire.messages import Refusal, Remark, report_to_bytes
from django_jobs.wire.sockets import INLINE_LIMIT, send
from django_jobs.worker import notes
from django_jobs.worker.notes import EVERY, Notes
from tests.worker.making import Shop, claimed, completed, held


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, which stands still unless the test changes it."""
    moment = [1000.0]
    monkeypatch.setattr(notes, "boottime", lambda: moment[0])
    return moment


def _says(shop: Shop, fence: Held, note: Note) -> None:
    send(shop.jobs.runners, report_to_bytes(Remark(*fence, note)))


def _speaking(shop: Shop, note: Note) -> Held:
    """Return a run on slot 0 that says this."""
    job = claimed()
    shop.hand_out(job)
    shop.begins(0)
    _says(shop, held(job), note)
    shop.floor.collect()
    return held(job)


def test_the_newest_of_each_run_is_due_once(now: list[float]) -> None:
    kept, (a, b) = Notes(), (held(claimed()), held(claimed()))
    kept.keep(a, Note(log="1"))
    kept.keep(a, Note(log="2"))
    kept.keep(b, Note(log="3"))
    assert kept.wait == 0.0
    assert kept.due({a, b}) == {a: Note(log="2"), b: Note(log="3")}
    assert (kept.due({a, b}), kept.wait) == ({}, float("inf"))


def test_more_is_due_a_second_later(now: list[float]) -> None:
    kept, a = Notes(), held(claimed())
    kept.keep(a, Note(log="1"))
    kept.due({a})
    kept.keep(a, Note(log="2"))
    assert (kept.due({a}), kept.wait) == ({}, EVERY)
    now[0] += EVERY
    assert kept.due({a}) == {a: Note(log="2")}


def test_what_a_run_said_last_is_there_at_its_end_written_or_not(now: list[float]) -> None:
    kept, a = Notes(), held(claimed())
    kept.keep(a, Note(log="1"))
    kept.due({a})
    assert kept.end(a) == Note(log="1")
    assert (kept.end(a), kept.wait) == (None, float("inf"))


def test_a_run_that_is_not_out_any_more_is_forgotten(now: list[float]) -> None:
    kept, a = Notes(), held(claimed())
    kept.keep(a, Note(log="1"))
    assert (kept.due(set()), kept.end(a)) == ({}, None)


def test_what_a_run_says_is_work_for_the_desk_and_the_run_goes_on(floor_with_two: Shop) -> None:
    shop, note = floor_with_two, Note(Progress(1.0, 2.0), '{"a":1}', "x" * INLINE_LIMIT)
    fence = _speaking(shop, note)
    shop.floor.enforce()
    assert shop.floor.take_work().notes == {fence: note}
    assert list(shop.handout.out) == [fence]


def test_the_outcome_carries_what_was_said(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    _says(shop, held(job), Note(log="line"))
    shop.finishes(0, completed(job))
    shop.floor.collect()
    ((_, outcome),) = shop.floor.take_work().finished
    assert outcome.note == Note(log="line")


def test_a_run_that_said_nothing_has_no_note(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    shop.finishes(0, completed(job))
    shop.floor.collect()
    assert shop.floor.take_work().finished[0][1].note is None


@pytest.mark.parametrize("written", [True, False])
def test_a_run_that_died_leaves_what_it_said(floor_with_two: Shop, written: bool) -> None:
    shop = floor_with_two
    _speaking(shop, Note(log="last words"))
    if written:
        shop.floor.enforce()
    shop.dies(0)
    ((_, outcome),) = shop.floor.take_work().finished
    assert (outcome.outcome, outcome.note) == ("crashed", Note(log="last words"))


def test_what_a_dying_run_said_last_is_read_before_its_death_is_settled(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    _says(shop, held(job), Note(log="last words"))
    shop.dies(0)
    assert shop.floor.take_work().finished[0][1].note == Note(log="last words")


def test_a_lost_run_leaves_nothing_behind(floor_with_two: Shop) -> None:
    shop = floor_with_two
    fence = _speaking(shop, Note(log="line"))
    shop.floor.lose([fence])
    shop.floor.enforce()
    shop.floor.take_work()
    shop.dies(0)
    shop.hand_out(other := claimed())
    shop.floor.enforce()
    work = shop.floor.take_work()
    assert (work.finished, work.notes, list(shop.handout.out)) == ([], {}, [held(other)])


def test_words_about_a_job_that_is_not_out_are_dropped(floor_with_two: Shop) -> None:
    shop = floor_with_two
    fence = _speaking(shop, Note(log="line"))
    shop.finishes(0, Refusal(*fence, 5.0, "unknown function"))
    _says(shop, fence, Note(log="more"))
    shop.floor.collect()
    shop.hand_out(claimed())
    shop.floor.enforce()
    assert shop.floor.take_work().notes == {}


def test_the_assignment_brings_what_was_saved(floor_with_two: Shop) -> None:
    floor_with_two.hand_out(claimed(meta='{"a":1}'))
    assert floor_with_two.reads(0).meta == '{"a":1}'
