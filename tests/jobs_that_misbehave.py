"""Jobs that hang, crash and lie on purpose; each writes what it does to a file outside the database."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection, transaction

from django_jobs import PermanentError, RetryJob, current_job, job
from django_jobs.models import Job
from django_jobs.wire.clock import boottime
from tests import deeds
from tests.faults.ledger import Ledger


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
def note_moment(path: str, word: str) -> None:
    """Write a line with the moment by the clock that nobody sets."""
    write_line(path, word, boottime())


@job
def nap(path: str, seconds: float) -> None:
    """Sleep and write a line."""
    time.sleep(seconds)
    write_line(path, "napped")


@job(timeout=None)
def work(path: str, seconds: float) -> None:
    """Say START with the job's id, work for so long, say END."""
    write_line(path, "START", current_job.id, current_job.attempt, os.getpid())
    time.sleep(seconds)
    write_line(path, "END", current_job.id, current_job.attempt, os.getpid())


@job(timeout=None)
def run_on_record(path: str, seconds: float = 0, failures: int = 0) -> int:
    """Put START on record, sleep, put END there; or FAILED, and fail, in the first so many attempts."""
    ledger = Ledger(path)
    ledger.write_run("START")
    time.sleep(seconds)
    failed = current_job.attempt <= failures
    ledger.write_run("FAILED" if failed else "END")
    if failed:
        raise ConnectionError("as it was told")
    return current_job.attempt


@job(timeout=None)
def hold_on_record(path: str, until: str) -> None:
    """Put START on record, say how it goes until a file exists or it is cancelled, put END there."""
    ledger = Ledger(path)
    ledger.write_run("START")
    while not os.path.exists(until):
        current_job.progress(1)
        current_job.check_cancelled()
        time.sleep(0.02)
    ledger.write_run("END")


@job(timeout=None)
def read_on_record(path: str) -> None:
    """Put START on record, read the database, put END there, or FAILED."""
    ledger = Ledger(path)
    ledger.write_run("START")
    try:
        Job.objects.exists()
    except Exception:
        ledger.write_run("FAILED")
        raise
    ledger.write_run("END")


@job(timeout=None)
def die_once_on_record(path: str) -> None:
    """Put START on record, and DYING where it is the first, and die; else END."""
    ledger = Ledger(path)
    ledger.write_run("START")
    if ledger.count("START") == 1:
        ledger.write_run("DYING")
        os._exit(3)
    ledger.write_run("END")


@job(timeout=None)
def answer_on_record(dead: str) -> str:
    """Put START and END on the record of a dead job."""
    ledger = Ledger(json.loads(Job.objects.get(pk=dead).args)["args"][0])
    ledger.write_run("START")
    ledger.write_run("END")
    return dead


@job(timeout=None)
def die_on_record(path: str, how: str) -> None:
    """Put START and DYING on record and die."""
    ledger = Ledger(path)
    ledger.write_run("START")
    ledger.write_run("DYING")
    DEATHS[how]()


@job(timeout=None)
def hold(path: str, until: str, word: str = "held") -> str:
    """Say START with the process's pid, wait until a file exists, say END."""
    write_line(path, "START", word, os.getpid(), os.getppid())
    while not os.path.exists(until):
        time.sleep(0.01)
    write_line(path, "END", word)
    return word


@job(timeout=None)
def hold_apart(path: str, until: str) -> int:
    """Say START, wait until a file exists that is meant for this process alone, say END."""
    write_line(path, "START", current_job.id, os.getpid())
    while not os.path.exists(f"{until}-{current_job.id}-{os.getpid()}"):
        select.poll().poll(10)  # on a host whose clock is faked, time.sleep fails
    write_line(path, "END", current_job.id, os.getpid())
    return os.getpid()


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
def stubborn_family(path: str) -> None:
    """Ignore TERM with two programs, one of them in a process group of its own, and wait for them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which what is started from here on inherits
    near, far = (subprocess.Popen(["sleep", "300"], process_group=group) for group in (None, 0))
    write_line(path, "START", os.getpid(), near.pid, far.pid)
    near.wait()
    far.wait()


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
def clean_slowly(path: str, seconds: float) -> None:
    """Sleep for a minute, say when the cleaning begins, and take so many seconds for it."""
    try:
        time.sleep(60)
    finally:
        write_line(path, "CLEANING", current_job.id)
        time.sleep(seconds)


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


@job(max_attempts=1)
def miss_an_alarm(path: str) -> None:
    """Miss the first signal, as anybody does whom it meets just before it waits for a lock."""
    listening = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, lambda *_: signal.signal(signal.SIGALRM, listening))
    write_line(path, "START", os.getpid())
    threading.Event().wait()


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


@job(timeout=None)
def kill_my_worker_once(path: str) -> None:
    """Say START, and kill the worker whose nursery has made this process where nobody has said so before."""
    write_line(path, "START", os.getpid())
    with open(path) as file:
        first = len(file.readlines()) == 1
    if first:
        with open(f"/proc/{os.getppid()}/stat") as file:
            worker = int(file.read().rpartition(")")[2].split()[1])
        os.kill(worker, signal.SIGKILL)
        time.sleep(60)


@job(max_attempts=1)
def read_nowhere() -> None:
    """Read where no memory is."""
    ctypes.string_at(0)


def _use_memory_that_is_not_there() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    # As a library in C does that does not ask whether it got any.
    ctypes.memset(libc.malloc(2**30) or 0, 1, 2**30)


DEATHS = {
    "abort": os.abort,
    "exit 0": lambda: os._exit(0),
    "exit 3": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": _use_memory_that_is_not_there,
    "wrong address": lambda: ctypes.string_at(0),
}


@job(max_attempts=1)
def die(path: str, how: str) -> None:
    """Start a program and die."""
    program = subprocess.Popen(["sleep", "600"])
    write_line(path, os.getpid(), program.pid)
    DEATHS[how]()


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


@job(max_attempts=1, sensitive="secret")
def fail_at_length(length: int, *, note: int = 0, secret: str = "") -> None:
    """Raise a message of so many characters, and add a note to it of so many."""
    error = ValueError((secret + "e" * length)[:length])
    if note:
        error.add_note("n" * note)
    raise error


@job(max_attempts=1)
def return_nested(depth: int) -> Any:
    """Return a list in a list, so many times."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


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
def leave_a_connection_that_never_closes(path: str) -> int:
    """Break a connection so that closing it takes for ever."""
    connection.cursor().execute("SELECT 1")
    connection._close = threading.Event().wait
    write_line(path, os.getpid())
    return os.getpid()


@job
def read_database() -> bool:
    """Return whether the connection is in a fresh state."""
    connection.cursor().execute("SELECT 1")
    return connection.get_autocommit() and not connection.in_atomic_block


@job
async def answer_later(value: int) -> int:
    """Return a value from a coroutine."""
    return value


@job(max_attempts=1)
def do(deed: str) -> Any:
    """Do what no job should."""
    return deeds.all_deeds()[deed]()


@job
def look_around() -> dict[str, Any]:
    """Return what a job finds."""
    return deeds.look_around()


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


@job
def log_lines(count: int, width: int) -> None:
    """Log so many lines of at least this width, each with its number."""
    for number in range(count):
        current_job.log(f"{number} ".ljust(width, "x"))


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


@job(timeout=None)
def meet(path: str, word: str, others: int, until: str = "") -> dict[str, Any]:
    """Say that this is here; wait until so many others are as well, and a file exists where one is named."""
    write_line(path, "START", word, os.getpid(), os.getppid())
    while True:
        with open(path) as file:
            here = {line.split()[1] for line in file if line.startswith("START")}
        if len(here) >= others and (not until or os.path.exists(until)):
            break
        time.sleep(0.01)
    return _who_am_i()


@job(timeout=None)
async def meet_in_a_coroutine(path: str, word: str, others: int) -> dict[str, Any]:
    """Do so in a coroutine."""
    write_line(path, "START", word, os.getpid(), os.getppid())
    while True:
        with open(path) as file:
            here = {line.split()[1] for line in file if line.startswith("START")}
        if len(here) >= others:
            break
        await asyncio.sleep(0.01)
    return {**_who_am_i(), "loop": id(asyncio.get_running_loop())}


@job
async def ask_from_a_coroutine(path: str) -> list[Any]:
    """Use the database from a coroutine, in both kinds of threads there are; leave a transaction open."""
    write_line(path, "START")
    found = await Job.objects.aget(pk=current_job.id)
    other = await asyncio.to_thread(Job.objects.get, pk=current_job.id)
    begun = await sync_to_async(_begin_a_transaction)()
    return [found.status, other.status, begun]


def _begin_a_transaction() -> bool:
    fresh = connection.get_autocommit() and not connection.in_atomic_block
    connection.set_autocommit(False)
    return fresh


def _who_am_i() -> dict[str, Any]:
    return {"id": str(current_job.id), "pid": os.getpid(), "thread": threading.get_ident()}


@job(max_attempts=1)
def spin_in_a_loop(path: str) -> None:
    """Loop in Python code, and clean up."""
    write_line(path, "START", os.getpid())
    rounds = 0
    try:
        while True:
            rounds += 1  # an empty loop is in no `try` to Python 3.11, which has one instruction for it
    finally:
        write_line(path, "CLEANED")


@job(max_attempts=1)
async def exit_in_a_coroutine() -> None:
    """Raise in a coroutine what would end its loop."""
    raise SystemExit(3)


@job
async def leave_a_task(path: str) -> None:
    """Leave a task running that would write when the job is over."""

    async def write_later() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            write_line(path, "ENDED")

    task = asyncio.create_task(write_later())
    await asyncio.sleep(0)
    current_job.log(task.get_name())
