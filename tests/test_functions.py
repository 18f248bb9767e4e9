"""A job function is still the function, and a function no worker could run is refused."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction

from django_jobs import InvalidJobFunction, JobFunction, UnknownOption, fixed, job, registry
from tests import jobs


@pytest.fixture(autouse=True)
def untouched_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test register what it likes."""
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))


def plain(number: int, *, times: int = 1) -> int:
    """Multiply."""
    return number * times


def walk() -> Iterator[int]:
    yield 1


async def stroll() -> AsyncIterator[int]:
    yield 1


class Owner:
    def method(self) -> None: ...

    @classmethod
    def build(cls, size: int) -> int:
        return size

    @staticmethod
    def apart(size: int) -> int:
        return size


class Callable_:
    def __call__(self, size: int) -> int:
        return size + 1


def test_the_decorated_function_keeps_name_doc_and_signature() -> None:
    made = job(plain)
    assert (made.__name__, made.__doc__, made.__module__) == ("plain", "Multiply.", __name__)
    assert inspect.signature(made) == inspect.signature(plain)
    assert made.__wrapped__ is plain


def test_parentheses_make_no_difference() -> None:
    assert isinstance(job(plain), JobFunction)
    assert isinstance(job()(plain), JobFunction)
    assert job(name="with-options", queue="mail")(plain).options.queue == "mail"


def test_a_plain_call_runs_inline() -> None:
    assert job(plain)(3, times=2) == 6


def test_calling_a_coroutine_function_returns_its_coroutine() -> None:
    coroutine = jobs.add_later(1, 2)
    assert inspect.iscoroutine(coroutine)
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    assert stopped.value.value == 3
    assert iscoroutinefunction(jobs.add_later)
    assert not iscoroutinefunction(jobs.add)


def test_its_name_is_module_and_qualname_unless_given() -> None:
    assert job(plain).name == f"{__name__}.plain"
    assert job(plain, name="math.times").name == "math.times"


def test_delay_is_enqueue() -> None:
    assert JobFunction.delay is JobFunction.enqueue


def test_attributes_of_the_function_do_not_hide_those_of_the_job_function() -> None:
    def tagged() -> None: ...

    tagged.__qualname__, tagged.name, tagged.colour = "tagged", "mine", "red"  # type: ignore[attr-defined]
    made = job(tagged)
    assert (made.name, made.colour) == (f"{__name__}.tagged", "red")  # type: ignore[attr-defined]


def test_using_returns_another_and_registers_nothing() -> None:
    before = registry.names()
    other = jobs.add.using(queue="mail", retry_delay=5)
    assert (other.options.queue, other.options.retry_delay) == ("mail", fixed(5))
    assert jobs.add.options.queue == "default"
    assert (other.name, other(1, 2)) == ("tests.jobs.add", 3)
    assert registry.names() == before
    assert registry.find("tests.jobs.add") is jobs.add


def test_using_adds_to_an_earlier_using() -> None:
    options = jobs.send.using(priority=1).using(queue="late").options
    assert (options.priority, options.queue, options.max_attempts) == (1, "late", 5)


def test_an_unknown_option_is_refused_at_decoration_and_at_using() -> None:
    with pytest.raises(UnknownOption, match="retries"):
        job(plain, retries=3)
    with pytest.raises(UnknownOption, match="retries"):
        jobs.add.using(retries=3)


def test_functions_one_cannot_decorate_become_job_functions_by_a_call() -> None:
    assert job(sorted, name="sort")([2, 1]) == [1, 2]
    assert job(functools.partial(plain, 3), name="thrice")(times=2) == 6
    assert job(Callable_(), name="one-more")(1) == 2
    assert job(Owner.build)(4) == 4
    assert job(Owner.apart)(5) == 5


def nested() -> Any:
    def inner() -> None: ...

    return inner


def unwrapped(function: Any) -> Any:
    def wrapper() -> Any:
        return function()

    return wrapper


def in_main() -> Any:
    def main() -> None: ...

    main.__module__, main.__qualname__ = "__main__", "main"
    return main


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda: None, "a lambda has no name"),
        (nested(), "made inside a function"),
        (unwrapped(plain), r"functools\.wraps"),
        (Owner.method, "a method needs an object"),
        (Owner().method, "a method needs an object"),
        (in_main(), "__main__"),
        (functools.partial(plain, 3), r"give it one: job\(function, name="),
        (Callable_(), r"give it one: job\(function, name="),
        (jobs.add, "it is one already"),
        (Owner, "it is no function"),
        ("plain", "it is no function"),
        (walk, "generator"),
        (stroll, "generator"),
    ],
)
def test_what_no_worker_could_run_is_refused_with_the_reason(function: Any, reason: str) -> None:
    with pytest.raises(InvalidJobFunction, match=f"cannot be a job function: .*{reason}"):
        job(function)


@pytest.mark.parametrize("function", [lambda: None, nested(), in_main()])
def test_a_name_does_not_make_it_findable(function: Any) -> None:
    with pytest.raises(InvalidJobFunction):
        job(function, name="given")


def test_a_decorator_that_uses_wraps_may_stand_below_job() -> None:
    def loud(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs) + 1

        return wrapper

    made = job(loud(plain))
    assert made(3) == 4
    assert list(made.signature.parameters) == ["number", "times"]


def test_everything_public_is_importable_before_django_is_set_up() -> None:
    code = (
        "import django_jobs\n"
        "from django_jobs import *\n"
        "@job(queue='mail', retry_on=(OSError,), retry_delay=exponential(2, cap=60, jitter=True))\n"
        "def f(): ...\n"
        "f.__module__\n"
        "f.using(priority=3)\n"
        "assert issubclass(JobNotFound, KeyError)\n"
        "from django.conf import settings\n"
        "assert not settings.configured\n"
    )
    command = [sys.executable, "-W", "error", "-c", f"__name__ = 'shop.jobs'\n{code}"]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_the_public_exceptions_are_one_family() -> None:
    import django_jobs

    exceptions = [each for each in vars(django_jobs).values() if isinstance(each, type)]
    exceptions = [each for each in exceptions if issubclass(each, Exception)]
    assert len(exceptions) > 15
    assert all(issubclass(each, django_jobs.JobsError) for each in exceptions)


def test_job_not_found_reads_as_a_sentence() -> None:
    from django_jobs import JobNotFound

    with pytest.raises(KeyError) as caught:
        raise JobNotFound("x")
    assert str(caught.value) == "no job has the id 'x'"
    assert isinstance(caught.value, JobNotFound)
