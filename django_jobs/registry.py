"""All job functions of this process by name; only what is here can run."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from django_jobs.conf import conf
from django_jobs.exceptions import DuplicateJobFunction, UnknownJobFunction
from django_jobs.options import Options


class RegisteredFunction(Protocol):
    """What the registry needs to know of a job function."""

    @property
    def name(self) -> str:
        """The name it is stored and found by."""

    @property
    def function(self) -> Callable[..., Any]:
        """The undecorated function."""

    @property
    def options(self) -> Options:
        """The options given where it was decorated."""

    @property
    def signature(self) -> inspect.Signature:
        """What a call is bound to."""

    @property
    def is_coroutine(self) -> bool:
        """Whether the function is an `async def`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it here and now."""


_functions: dict[str, RegisteredFunction] = {}
_discovered = False


def register(job_function: RegisteredFunction) -> None:
    """Make a job function known by its name.

    Raises:
        DuplicateJobFunction: another one has the name.
    """
    present = _functions.get(job_function.name)
    if present is not None and not _is_the_same(present, job_function):
        raise DuplicateJobFunction(job_function.name)
    _functions[job_function.name] = job_function


def find(name: str) -> RegisteredFunction:
    """Return the job function of this name; where it is missing, import all modules of jobs once.

    Raises:
        UnknownJobFunction: there is none; names those that are near.
    """
    if name not in _functions:
        autodiscover()
    if name not in _functions:
        raise UnknownJobFunction(name, difflib.get_close_matches(name, names()))
    return _functions[name]


def names() -> list[str]:
    """Return the names of all job functions known so far, sorted."""
    return sorted(_functions)


def autodiscover() -> None:
    """Import `jobs` and `tasks` of every installed app and the modules in IMPORTS; again does nothing."""
    global _discovered
    if _discovered:
        return
    apps.check_apps_ready()
    autodiscover_modules("jobs", "tasks")
    for module in conf().IMPORTS:
        _import(module)
    # Only now: where an import failed, the next look says so again instead of "unknown function".
    _discovered = True


def _import(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        error.add_note(f"DJANGO_JOBS['IMPORTS'] names {module!r}")
        raise


def _is_the_same(one: RegisteredFunction, other: RegisteredFunction) -> bool:
    # A module that is imported again, because it failed half way or was reloaded, is no duplicate.
    if one.function is other.function:
        return one.options == other.options
    return _origin(one.function) == _origin(other.function)


def _origin(function: Callable[..., Any]) -> tuple[object, ...]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = (code.co_filename, code.co_firstlineno) if code else (id(function),)
    return (function.__module__, getattr(function, "__qualname__", None), *where)
