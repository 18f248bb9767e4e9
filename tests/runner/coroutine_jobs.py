"""Coroutine jobs for the tests of a runner with several seats."""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import ContextVar
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection

from django_jobs import current_job, job

mark: ContextVar[str] = ContextVar("mark", default="none")
# What a test and the jobs of its runner tell each other; both are in one process.
may_go_on, keeps, a_seat_reads = threading.Event(), threading.Event(), threading.Event()
gates: list[asyncio.Event] = []


@job
async def answer(value: Any) -> Any:
    """Return a value."""
    return value


@job
async def where() -> list[int]:
    """Return the thread of the loop, and that of what the loop has called in a thread."""
    return [threading.get_ident(), await sync_to_async(threading.get_ident)()]


@job
async def answer_not_a_number() -> float:
    """Return what cannot be stored."""
    return float("nan")


@job(max_attempts=1)
async def fail_aloud(words: str) -> None:
    """Fail with these words."""
    raise ValueError(words)


@job
async def leave_a_mark() -> str:
    """Return the mark that is found here, and leave another."""
    found = mark.get()
    mark.set(str(current_job.id))
    await asyncio.sleep(0)
    return found


@job
async def open_a_transaction() -> bool:
    """Return whether there is none, and leave one open."""
    return await sync_to_async(_open)()


def _open() -> bool:
    fresh = connection.get_autocommit()
    connection.set_autocommit(False)
    return fresh


@job
async def keep_the_loop() -> bool:
    """Wait as no coroutine should; return whether it was for something that came."""
    return may_go_on.wait(30)


@job
async def wait_for_the_gate() -> bool:
    """Wait as a coroutine should, until the one below lets it go on."""
    gates.append(gate := asyncio.Event())
    return await gate.wait()


@job
async def keep_the_loop_twice() -> bool:
    """Keep the loop until a seat has read in its place, let the one above end, and keep it again."""
    while not gates:
        await asyncio.sleep(0.01)
    keeps.set()
    a_seat_reads.wait(30)
    gates.pop().set()
    await asyncio.sleep(0)  # the other one ends in this turn of the loop, and this goes on in it
    return may_go_on.wait(30)


@job
def say_that_a_seat_reads() -> None:
    """End the first wait of the one above."""
    a_seat_reads.set()


@job
def let_go_on() -> None:
    """End the wait of the one above."""
    may_go_on.set()


@job
async def return_what_tells_where_it_is_stored() -> object:
    """Return something that notes which thread stores it."""
    return _Telling()


class _Telling(dict[str, int]):
    def items(self) -> Any:
        self["thread"] = threading.get_ident()
        return super().items()


@job
async def leave_a_transaction_for_a_while(seconds: float) -> bool:
    """Open a transaction through a thread, wait for something else; return whether it is still open."""
    await sync_to_async(_open)()
    await asyncio.sleep(seconds)
    return not await sync_to_async(lambda: connection.get_autocommit())()


@job
async def cancel_all_others() -> int:
    """Do as code does that was written for a loop of its own; return how many tasks there were."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    return len(others)


@job
async def return_what_sets_the_mark_when_it_is_stored() -> object:
    """Return something that leaves a mark in the context in which it is stored."""
    return _Marking()


class _Marking(dict[str, int]):
    def items(self) -> Any:
        mark.set("left behind")
        return super().items()


@job
def find_the_mark() -> str:
    """Return the mark that a plain job finds, slowly enough that each seat has one."""
    time.sleep(0.02)
    return mark.get()
