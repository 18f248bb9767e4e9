"""Job functions: whether they can be found, and whether each ends."""

from __future__ import annotations

from django.core.checks import CheckMessage, Info, Warning

from django_jobs import registry
from django_jobs.conf import conf
from django_jobs.options import Options

SHOWN = 20


def check() -> list[CheckMessage]:
    """Return what is wrong with those that this project has."""
    return [*_imports(), *_unanswered(), *_project_without_limit(), *_functions_without_limit()]


def _imports() -> list[CheckMessage]:
    try:
        registry.autodiscover()
    except Exception as error:
        # A warning and no error: `migrate` must not be refused to whoever is about to mend this with it.
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        message = f"The modules of jobs cannot all be imported: {type(error).__name__}: {error}{notes}"
        hint = "No worker starts before they can; `manage.py runworker` shows where it fails."
        return [Warning(message, hint=hint, id="django_jobs.W005")]
    return []


def _unanswered() -> list[CheckMessage]:
    wanted = {name: registry.find(name).options.on_failure for name in registry.names()}
    wanted['DJANGO_JOBS["DEFAULT_OPTIONS"]'] = Options.of_project().on_failure
    gone = [f"{what!r} of {name}" for name, what in wanted.items() if what and what not in registry.names()]
    if not gone:
        return []
    hint = "Name it as it is stored, module.qualname or its name=, or give the function itself."
    return [
        Warning(f"on_failure names no job function: {each}", hint=hint, id="django_jobs.W006")
        for each in gone
    ]


def _project_without_limit() -> list[CheckMessage]:
    if conf().DEFAULT_OPTIONS.get("timeout", 0) is not None:
        return []
    message = (
        "DJANGO_JOBS['DEFAULT_OPTIONS'] lets every job run for ever: one that hangs keeps its place in the "
        "worker until somebody kills it"
    )
    hint = (
        'Give a limit in seconds, "DEFAULT_OPTIONS": {"timeout": 300}, and those a longer one that need it: '
        "@job(timeout=3600)"
    )
    return [Info(message, hint=hint, id="django_jobs.I002")]


def _functions_without_limit() -> list[CheckMessage]:
    names = [name for name in registry.names() if _is_without_limit(name)]
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    message = f"Job functions that may run for ever (timeout=None): {', '.join(names[:SHOWN])}{more}"
    hint = (
        "One that hangs keeps its place in the worker until somebody kills it. Give each the seconds it may "
        "take at most: @job(timeout=3600)"
    )
    return [Info(message, hint=hint, id="django_jobs.I003")]


def _is_without_limit(name: str) -> bool:
    options = registry.find(name).options
    return "timeout" in options.given and options.timeout is None
