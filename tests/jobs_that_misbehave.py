"""Jobs that hang, crash and lie on purpose; each writes what it does to a file outside the database."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from django.db import connection, transaction

from django_jobs import PermanentError, RetryJob, current_job, job


def write_line(path: str, *words: object) -> None:
    """Append a line in one write, so that lines of several processes never mix."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, (" ".join(str(word) for word in words) + "\n").encode())
    finally:
        os.close(fd)


@job
def note(path: str, word: str) -> str:
    """Write a line and be done."""
    write_line(path, word)
    return word


@job
def nap(path: str, seconds: float) -> None:
    """Sleep and write a line."""
    time.sleep(seconds)
    write_line(path, "napped")


@job(timeout=None)
def hold(path: str, until: str, word: str = "held") -> str:
    """Say START with the process's pid, wait until a file exists, say END."""
    write_line(path, "START", word, os.getpid(), os.getppid())
    while not os.path.exists(until):
        time.sleep(0.01)
    write_line(path, "END", word)
    return word


@job(max_attempts=1)
def sleep_long(path: str) -> None:
    """Sleep for a minute."""
    write_line(path, "START", os.getpid())
    time.sleep(60)
    write_line(path, "END")


@job(max_attempts=1)
def spin(path: str) -> None:
    """Loop in Python code."""
    write_line(path, "START", os.getpid())
    while True:
        continue


@job(max_attempts=1)
def hold_the_gil(path: str) -> None:
    """Loop in C code that never lets go."""
    write_line(path, "START", os.getpid())
    sum(range(10**12))


@job(max_attempts=1)
def stubborn_child(path: str) -> None:
    """Start a program that ignores TERM, and wait for it."""
    program = "import signal,time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(300)"
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    child.stdout.readline()
    write_line(path, "START", os.getpid(), child.pid)
    child.wait()


@job(max_attempts=1)
def clean_up(path: str, seconds: float = 0) -> None:
    """Sleep for a minute, and take so many seconds to clean up."""
    write_line(path, "START", os.getpid())
    try:
        time.sleep(60)
    finally:
        time.sleep(seconds)
        write_line(path, "CLEANED")


@job(max_attempts=1)
def wave_off(path: str) -> str:
    """Take the order to stop for nothing, and return."""
    try:
        time.sleep(60)
    except BaseException as error:
        write_line(path, type(error).__name__)
    return "late"


@job(max_attempts=1)
async def await_long(path: str) -> None:
    """Wait for a minute in a coroutine, and clean up."""
    write_line(path, "START", os.getpid())
    try:
        await asyncio.sleep(60)
    finally:
        write_line(path, "CLEANED")


@job(max_attempts=1)
def sleep_in_transaction(path: str) -> None:
    """Sleep for a minute with a transaction open."""
    with transaction.atomic():
        note.enqueue(path, "rolled back")
        write_line(path, "START", os.getpid())
        time.sleep(60)


@job(max_attempts=1)
def take_the_alarm(path: str, handler: str) -> None:
    """Put another handler in the place of the runner's own, and sleep."""
    signal.signal(signal.SIGALRM, {"default": signal.SIG_DFL, "deaf": lambda *_: None}[handler])
    write_line(path, "START", os.getpid())
    while True:
        time.sleep(60)


@job
def set_an_alarm(path: str, seconds: float) -> None:
    """Have a signal sent that comes when this job is over."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    write_line(path, "set")


@job(max_attempts=1)
def check_for_ever(path: str) -> None:
    """Ask at each step whether there is time, and clean up when there is none."""
    try:
        while True:
            current_job.check_timeout()
            time.sleep(0.01)
    finally:
        write_line(path, "CLEANED", os.getpid())


@job(max_attempts=2)
def exit_at_once(code: int) -> None:
    """Leave without a word."""
    os._exit(code)


@job(max_attempts=1)
def kill_myself(number: int) -> None:
    """Die by a signal."""
    os.kill(os.getpid(), number)
    time.sleep(60)


@job(max_attempts=1)
def read_nowhere() -> None:
    """Read where no memory is."""
    ctypes.string_at(0)


@job(max_attempts=1)
def leave(how: str) -> None:
    """Raise what is no Exception."""
    raise {"exit": SystemExit, "interrupt": KeyboardInterrupt, "generator": GeneratorExit}[how]("leaving")


class Unspeakable(Exception):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@job(max_attempts=1)
def raise_unspeakable() -> None:
    """Raise an error whose message fails."""
    raise Unspeakable


@job(max_attempts=1)
def recurse() -> None:
    """Recurse until Python gives up."""
    recurse()


@job(max_attempts=1)
def raise_dirty_text() -> None:
    """Raise a message that no database takes as it is."""
    raise ValueError("a\0b \ud800 " + "x" * 100_000)


@job(max_attempts=1)
def return_lock() -> Any:
    """Return what cannot be stored."""
    return threading.Lock()


@job
def return_text(length: int) -> str:
    """Return a text of this length."""
    return "x" * length


@job(max_attempts=3)
def fail_and_note(path: str) -> None:
    """Write the attempt's number and fail."""
    write_line(path, current_job.attempt)
    raise ValueError(f"attempt {current_job.attempt}")


@job(max_attempts=3)
def fail_until(path: str, number: int) -> int:
    """Fail before this attempt."""
    write_line(path, current_job.attempt)
    if current_job.attempt < number:
        raise ConnectionError("not yet")
    return current_job.attempt


@job(max_attempts=5, retry_delay=30)
def fail_with_long_delay() -> None:
    """Fail, to be run again much later."""
    raise ConnectionError("try later")


@job(max_attempts=3, dont_retry_on=(Exception,))
def ask_for_retry() -> int:
    """Ask for another attempt at once, against the filters."""
    if current_job.attempt < 2:
        raise RetryJob(defer=0)
    return current_job.attempt


@job(max_attempts=9)
def give_up() -> None:
    """Say that no retry helps."""
    raise PermanentError("never")


@job
def leave_transaction_open() -> None:
    """Leave a transaction open in both ways there are."""
    connection.set_autocommit(False)
    connection.cursor().execute("SELECT 1")


@job
def read_database() -> bool:
    """Return whether the connection is in a fresh state."""
    connection.cursor().execute("SELECT 1")
    return connection.get_autocommit() and not connection.in_atomic_block


@job
async def answer_later(value: int) -> int:
    """Return a value from a coroutine."""
    return value


@job
def fork_and_return(path: str) -> str:
    """Return twice: from this process and from a child of it."""
    write_line(path, "CHILD" if os.fork() == 0 else "PARENT")
    return "once"


@job
def pass_on(path: str, queues: list[str]) -> None:
    """Ask for the same in the next queue."""
    write_line(path, "passed")
    if queues:
        pass_on.using(queue=queues[0]).enqueue(path, queues[1:])


@job
def print_words(words: str) -> None:
    """Print without flushing."""
    print(words)


@job
def die_of(number: int, path: str) -> None:
    """Die by a signal at the first attempt."""
    write_line(path, current_job.attempt)
    if current_job.attempt == 1:
        os.kill(os.getpid(), number)
        signal.pause()


@job(timeout=None)
def speak_and_hold(path: str, until: str) -> None:
    """Say something, wait until a file exists, say something else."""
    current_job.progress(1, 4, note="first quarter")
    current_job.log("began")
    current_job.meta["seen"] = current_job.attempt
    current_job.save_meta()
    write_line(path, "START", os.getpid())
    while not os.path.exists(until):
        time.sleep(0.01)
    current_job.progress(4, 4)
    current_job.log("ended")


@job(max_attempts=3)
def remember_and_fail() -> list[int]:
    """Add the attempt to what was saved; fail until the third."""
    current_job.meta.setdefault("attempts", []).append(current_job.attempt)
    current_job.save_meta()
    current_job.log(f"attempt {current_job.attempt}")
    current_job.meta["never saved"] = True
    if current_job.attempt < 3:
        raise ConnectionError("not yet")
    return list(current_job.meta["attempts"])


@job
def chatter(times: int) -> None:
    """Say how far it is, very often."""
    for number in range(times):
        current_job.progress(number + 1, times)


@job(max_attempts=1)
def speak_everywhere() -> None:
    """Log from a thread, a coroutine and a process; the last is not heard."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(current_job.log, "thread"))
    thread.start()
    thread.join()

    async def say() -> None:
        current_job.log("coroutine")

    asyncio.run(say())
    child = os.fork()
    if child == 0:
        current_job.log("process")
        os._exit(0)
    os.waitpid(child, 0)


@job
def note_pid(path: str) -> int:
    """Write and return the runner's pid."""
    write_line(path, os.getpid())
    return os.getpid()


_leaked: list[bytes] = []


@job
def leak(path: str, size: int) -> int:
    """Keep so many bytes, in whichever process this runs."""
    _leaked.append(b"x" * size)
    write_line(path, os.getpid())
    return len(_leaked)


@job(max_attempts=1)
def eat(size: int) -> int:
    """Take so many bytes and give them back."""
    return len(bytes(size))


@job(timeout=None)
def work_until_cancelled(path: str) -> None:
    """Work in small steps and listen; sweep nothing under the carpet, but clean up."""
    write_line(path, "START", os.getpid())
    try:
        while True:
            try:
                current_job.check_cancelled()
                time.sleep(0.001)
            except Exception:  # as jobs do that go on with the next of many
                write_line(path, "SWALLOWED")
    finally:
        write_line(path, "CLEANED")


@job(timeout=None)
async def await_until_cancelled(path: str) -> None:
    """Do so in a coroutine."""
    write_line(path, "START", os.getpid())
    while not current_job.cancel_requested:
        await asyncio.sleep(0.001)
    current_job.check_cancelled()


@job(timeout=None)
def fail_when_cancelled(path: str) -> None:
    """Make a failure of a wish to cancel, which would be retried."""
    write_line(path, "START", os.getpid())
    while not current_job.cancel_requested:
        time.sleep(0.001)
    raise ValueError("cancelled in a way of its own")
