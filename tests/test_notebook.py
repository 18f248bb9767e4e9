"""What a run says gets away, newest first, and keeps the run waiting for nothing."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_jobs import SerializationError, notebook
from django_jobs.notebook import AT_ONCE, EVERY, Log, Notebook
from django_jobs.notes import Note, Progress
from django_jobs.serializers.limits import LINE_LENGTH, LOG_LINES, LOG_SIZE, MAX_META


class Parent:
    """Takes notes, or has no room for them; its clock stands until the test moves it."""

    def __init__(self) -> None:
        self.heard: list[Note] = []
        self.waited = 0
        self.fails: Exception | None = None
        self.now = 1000.0

    def send(self, note: Note, wait: bool) -> None:
        if self.fails and not wait:
            raise self.fails
        self.waited += wait
        self.heard.append(note)

    def notebook(self, meta: str | None = None) -> Notebook:
        """Return a notebook that sends here."""
        return Notebook(meta, send=self.send, clock=lambda: self.now)


class HeldBack:
    """A timer that fires when the test says so."""

    made: list[HeldBack]

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds, self.call = seconds, call
        self.started = self.cancelled = False
        self.made.append(self)

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def parent() -> Parent:
    """Return who hears it."""
    return Parent()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[HeldBack]:
    """Return the timers that were made, none of which runs by itself."""
    monkeypatch.setattr(HeldBack, "made", [], raising=False)
    monkeypatch.setattr(notebook.threading, "Timer", HeldBack)
    return HeldBack.made


def test_a_few_words_are_heard_at_once(parent: Parent, timers: list[HeldBack]) -> None:
    book = parent.notebook()
    book.progress(1, 3, "one")
    book.log("line")
    assert parent.heard == [Note(Progress(1.0, 3.0, "one")), Note(Progress(1.0, 3.0, "one"), None, "line")]
    assert timers == []


def test_a_hundred_thousand_words_at_once_are_a_few_messages_and_the_last_is_heard(
    parent: Parent, timers: list[HeldBack]
) -> None:
    book = parent.notebook()
    for number in range(100_000):
        book.progress(number, 100_000, "")
    assert len(parent.heard) == AT_ONCE
    (timer,) = timers
    parent.now += EVERY
    timer.call()
    assert parent.heard[-1].progress == Progress(99_999.0, 100_000.0)
    assert (len(parent.heard), len(timers)) == (AT_ONCE + 1, 1)


def test_whoever_never_stops_talking_sends_a_few_messages_a_second(
    parent: Parent, timers: list[HeldBack]
) -> None:
    book, turns = parent.notebook(), 40
    for turn in range(turns):
        for number in range(100):
            book.progress(100 * turn + number, None, "")
        parent.now += EVERY
        timers[-1].call()
        assert parent.heard[-1].progress == Progress(100.0 * turn + 99)
    assert len(parent.heard) <= AT_ONCE + turns


def test_after_a_silence_words_are_heard_at_once_again(parent: Parent, timers: list[HeldBack]) -> None:
    book = parent.notebook()
    for number in range(50):
        book.progress(number, None, "")
    parent.now += EVERY
    timers[0].call()
    parent.now += 60
    for number in range(50):
        book.progress(number, None, "")
    assert len(parent.heard) == 2 * AT_ONCE + 1


@pytest.mark.parametrize("failure", [BlockingIOError(), BrokenPipeError(), OSError(24, "no descriptor")])
def test_a_parent_that_cannot_listen_costs_the_job_nothing_and_hears_the_last_word(
    parent: Parent, timers: list[HeldBack], failure: Exception
) -> None:
    book, parent.fails = parent.notebook(), failure
    book.progress(1, None, "")
    book.progress(2, None, "")
    assert parent.heard == []
    parent.fails = None
    parent.now += EVERY
    timers[0].call()
    assert parent.heard == [Note(Progress(2.0))]


def test_a_job_that_can_start_no_thread_goes_on(parent: Parent, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refuse)
    book = parent.notebook()
    for number in range(AT_ONCE + 3):
        book.progress(number, None, "")
    book.close()
    assert parent.heard[-1].progress == Progress(AT_ONCE + 2.0)


def test_the_end_sends_what_was_not_sent_and_may_wait_for_room(
    parent: Parent, timers: list[HeldBack]
) -> None:
    book = parent.notebook()
    for number in range(AT_ONCE + 1):
        book.log(f"line {number}")
    book.close()
    assert (parent.waited, timers[0].cancelled) == (1, True)
    assert str(parent.heard[-1].log).endswith(f"line {AT_ONCE}")


def test_the_end_of_a_run_that_said_nothing_sends_nothing(parent: Parent) -> None:
    parent.notebook('{"seen":1}').close()
    assert parent.heard == []


def test_nothing_is_sent_after_the_end(parent: Parent, timers: list[HeldBack]) -> None:
    book = parent.notebook()
    book.progress(1, None, "")
    book.close()
    book.progress(2, None, "")
    book.close()
    assert (len(parent.heard), timers) == (1, [])


def test_the_last_word_is_sent_by_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "EVERY", 0.01)
    heard = threading.Event()
    book = Notebook(send=lambda note, wait: heard.set() if note.progress == Progress(49.0) else None)
    for number in range(50):
        book.progress(number, None, "")
    assert heard.wait(20)
    book.close()


def test_a_forked_process_says_nothing_even_if_somebody_was_speaking(parent: Parent) -> None:
    book = parent.notebook()
    with book._lock:  # as a thread may hold it at the moment of the fork
        child = os.fork()
        if child == 0:
            book.progress(1, None, "")
            book.log("line")
            book.save_meta()
            book.close()
            os._exit(len(parent.heard))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_that_log_at_once_lose_no_line(parent: Parent) -> None:
    book = parent.notebook()
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(_log_ten, book, name))
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    book.close()
    lines = str(parent.heard[-1].log).split("\n")
    assert sorted(lines) == sorted(f"{name}{number}" for name in "abcd" for number in range(10))


def _log_ten(book: Notebook, name: str) -> None:
    for number in range(10):
        book.log(f"{name}{number}")


def test_a_note_is_cut_with_a_sign_and_cleaned() -> None:
    book = Notebook()
    book.progress(1, None, "x" * 300 + "\0")
    book.log("a\0b\ud800")
    said, _, log = book.note
    assert said is not None
    assert (len(said.note), said.note[-1], log) == (200, "…", "a\ufffdb\ufffd")


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), True, "7", None, [], 10**400, 1j])
def test_what_is_no_finite_number_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(ValueError, match="current must be a finite number, not"):
        Notebook().progress(wrong, None, "")  # type: ignore[arg-type]


def test_a_total_cannot_be_negative_and_zero_of_zero_is_all() -> None:
    with pytest.raises(ValueError, match="total must be a finite number ≥ 0, not -1"):
        Notebook().progress(1, -1, "")
    book = Notebook()
    book.progress(0, 0, "")
    assert book.note.progress is not None
    assert book.note.progress.fraction == 1.0


def test_meta_begins_with_what_was_saved_and_is_stored_when_it_is_saved(parent: Parent) -> None:
    book = parent.notebook('{"seen":[1]}')
    book.meta["seen"].append(2)
    assert book.note.meta == '{"seen":[1]}'
    book.save_meta()
    assert parent.heard == [Note(None, '{"seen":[1,2]}')]


def test_what_was_saved_before_stays_when_only_progress_is_said(parent: Parent) -> None:
    parent.notebook('{"seen":1}').progress(1, None, "")
    assert parent.heard == [Note(Progress(1.0), '{"seen":1}')]


def test_meta_that_cannot_be_stored_is_refused_where_it_is_saved(parent: Parent) -> None:
    book = parent.notebook()
    book.meta["lock"] = {1, 2}
    with pytest.raises(SerializationError, match=r"current_job\.meta\['lock'\] is a set"):
        book.save_meta()
    book.meta["lock"] = "x" * MAX_META
    with pytest.raises(
        SerializationError, match=r"current_job\.meta takes 65,\d+ bytes, the limit is 65,536"
    ):
        book.save_meta()
    assert parent.heard == []


@pytest.mark.parametrize("stored", ["{no json", "[1]", '{"$model":["no.such",1]}'])
def test_stored_meta_that_cannot_be_read_is_an_error_for_whoever_asks(stored: str) -> None:
    book = Notebook(stored)
    book.progress(1, None, "")
    with pytest.raises(SerializationError):
        _ = book.meta


def test_a_log_keeps_the_newest_lines_and_says_how_many_are_gone() -> None:
    log = Log()
    for number in range(LOG_LINES + 50):
        log.add(f"line {number}")
    first, *lines = str(log).split("\n")
    assert first == "... 50 older lines dropped ..."
    assert lines == [f"line {number}" for number in range(50, LOG_LINES + 50)]


def test_many_lines_at_once_are_as_good_as_one_by_one() -> None:
    together, apart = Log(), Log()
    lines = [f"line {number}" for number in range(1000)]
    together.add("\n".join(lines) + "\n")
    for line in lines:
        apart.add(line)
    assert str(together) == str(apart)
    assert str(together).startswith("... 800 older lines dropped ...")


def test_an_endless_line_is_cut() -> None:
    log = Log()
    log.add("x" * 1_000_000)
    assert str(log) == "x" * (LINE_LENGTH - 1) + "…"


@given(st.lists(st.text(st.characters(), max_size=30).map(lambda text: text * 200), max_size=300))
def test_the_limits_of_the_log_hold_whatever_is_logged(texts: list[str]) -> None:
    log = Log()
    for text in texts:
        log.add(text)
    assert len(str(log).encode()) <= LOG_SIZE
    assert str(log).count("\n") <= LOG_LINES


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(3), "3"),
        (Progress(0.25, 1), "0.25 of 1 (25 %)"),
        (Progress(1200, 4800, "rows"), "1,200 of 4,800 (25 %), rows"),
        (Progress(7, 5), "7 of 5 (100 %)"),
        (Progress(-1, 5), "-1 of 5 (0 %)"),
        (Progress(1e300), "1e+300"),
    ],
)
def test_progress_is_told_in_words(progress: Progress, said: str) -> None:
    assert str(progress) == said
