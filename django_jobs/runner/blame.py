"""From an exception to an error report: clean, truncated text that any database takes."""

from __future__ import annotations

import sysconfig
import traceback
from types import FrameType, TracebackType

from django_jobs.conf import conf
from django_jobs.exceptions import exception_name
from django_jobs.masking import NO_SECRETS, Secrets
from django_jobs.outcomes import ErrorReport, fingerprint
from django_jobs.serializers.limits import clean, ends, truncated
from django_jobs.states import ErrorKind

# Of a text that is so many times as long as may be stored only the ends are looked through for secrets.
FAR_OVER = 4
_OURS = "django_jobs.runner."
_NOT_THE_APPLICATION = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def blame(
    exception: BaseException, *, kind: ErrorKind, function: str, secrets: Secrets = NO_SECRETS
) -> ErrorReport:
    """Return the report of what an exception in a run of this function says, without the run's secrets.

    The fingerprint is the same for errors of the same type at the same place in the
    application's own code, whatever their message.
    """
    frames = _users_frames(exception.__traceback__)
    name = exception_name(exception)
    return ErrorReport(
        kind=kind,
        exception_type=clean(name)[:255],
        message=_shown(message_of(exception), secrets, conf().MAX_ERROR_TEXT),
        traceback=_shown(_traceback_text(exception, frames), secrets, conf().MAX_TRACEBACK),
        fingerprint=fingerprint(function, name, _top_application_frame(frames)),
    )


def _shown(text: str, secrets: Secrets, limit: int) -> str:
    # Masked before it is cut: what is left of a secret then would not be found.
    if len(text) <= FAR_OVER * limit:
        return truncated(secrets.hide(text), limit)
    first, last = secrets.hide_ends(text, limit)
    return ends(first, last, of=text, limit=limit)


def message_of(exception: BaseException) -> str:
    """Return an exception's message, also where its own `__str__` fails."""
    try:
        return str.__str__(str(exception))  # which may be of a class of their own
    except BaseException as failure:
        return f"<no message: its __str__ raised {type(failure).__name__}>"


def _users_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _module(trace.tb_frame).startswith(_OURS):
        trace = trace.tb_next
    return trace


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _traceback_text(exception: BaseException, frames: TracebackType | None) -> str:
    try:
        return "".join(traceback.format_exception(type(exception), exception, frames))
    except BaseException as failure:  # a hostile exception, or no memory left to describe one
        return f"<no traceback: formatting it raised {type(failure).__name__}>"


def _top_application_frame(trace: TracebackType | None) -> str:
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_NOT_THE_APPLICATION) or not place:
            place = f"{_module(trace.tb_frame)}.{code.co_qualname}"
        trace = trace.tb_next
    return place
