"""Job functions for the tests of the runner."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.utils import timezone, translation

from django_jobs import CancelRequested, current_job, get_current_job, job
from django_jobs.wire.slips import Slip, StopReason

_TELLTALES: dict[str, Callable[[Any], object]] = {
    "as it is": str,
    "in a repr": repr,
    "in JSON": json.dumps,
    "in a URL": lambda token: f"GET https://api.example/?token={quote(token, safe='')} 401",
    "cut": lambda token: f"bad token {token[:20]}...",
    "at the end of a long text": lambda token: "x" * 20_000 + token,
}
slip: list[Slip] = []  # of the runner that a test plays


@job
def tell() -> list[Any]:
    """Return what the job knows of itself."""
    return [
        current_job.id,
        current_job.attempt,
        current_job.round,
        current_job.priority,
        current_job.worker_id,
        current_job.slots,
        current_job.database,
    ]


@job
async def tell_later() -> bool:
    """Return whether a coroutine knows its job."""
    return get_current_job() is not None


@job
def change_the_world() -> None:
    """Leave another language and another time zone active."""
    translation.activate("de")
    timezone.activate("Asia/Tokyo")


def _never(exception: BaseException, context: Any) -> bool:
    return False


def _hostile(exception: BaseException, context: Any) -> float:
    raise RuntimeError("no answer")


@job(retry_delay=_never)
def fail_for_good() -> None:
    """Fail, and let the callable refuse a retry."""
    raise ValueError("enough")


@job(retry_delay=_hostile)
def fail_with_hostile_policy() -> None:
    """Fail, and let the callable fail as well."""
    raise ValueError("again")


class Odd(Exception):
    """An error whose text depends on the moment."""


@job
def fail_at(line: int) -> None:
    """Fail in one of two places."""
    if line == 1:
        _here()
    raise Odd(f"{line} {id(object())}")


def _here() -> None:
    raise Odd(str(id(object())))


@job(soft_timeout=0.001)
def check_when_late() -> None:
    """Ask whether there is time when there is none."""
    time.sleep(0.002)
    current_job.check_timeout()


def _order() -> None:
    run = slip[0].run()
    assert run is not None
    slip[0].stop(run, StopReason.TIMEOUT)
    signal.raise_signal(signal.SIGALRM)


@job
def upset_signals() -> None:
    """Leave signals as no runner should have them."""
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(1000)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])


@job
def order_to_stop() -> None:
    """Play the worker that stops this very run."""
    _order()


class _Late(dict[str, int]):
    def items(self) -> Any:
        _order()
        return super().items()


@job
def return_what_orders_to_stop() -> object:
    """Return what stops this run when it is stored."""
    return _Late(one=1)


class OrdersToStop(Exception):
    """An error whose message stops the run."""

    def __str__(self) -> str:
        _order()
        return "said"


@job
def fail_and_order_to_stop() -> None:
    """Fail, and be stopped while the report is made."""
    raise OrdersToStop


@job
def be_asked_and_check() -> None:
    """Play the worker that tells this run of a wish to cancel it, and listen."""
    _ask_cancel()
    current_job.check_cancelled()


@job
async def be_asked_and_check_in_a_coroutine() -> None:
    """Do so in a coroutine."""
    _ask_cancel()
    current_job.check_cancelled()


@job
def be_asked_and_go_on() -> str:
    """Be told, and not listen."""
    _ask_cancel()
    return "done"


@job
def be_asked_and_fail() -> None:
    """Be told, and fail for another reason."""
    _ask_cancel()
    raise Odd("of its own")


@job
def cancel_itself() -> None:
    """Raise what only a wish to cancel should raise."""
    raise CancelRequested


def _ask_cancel() -> None:
    run = slip[0].run()
    assert run is not None
    slip[0].ask_cancel(run)


@job(sensitive="token")
def tell_a_secret(how: str, token: Any) -> None:
    """Fail with an error that shows what it should not."""
    try:
        raise KeyError(token)
    except KeyError as error:
        error.add_note(f"while trying {token}")
        raise ValueError(_TELLTALES[how](token)) from error


class Account:
    """What nothing can store, and says so too loudly."""

    def __init__(self, iban: str) -> None:
        self.iban = iban

    def __reduce__(self) -> Any:
        raise ValueError(f"the account of {self.iban} stays here")


@job(sensitive=("owner", "return"), serializer="cloudpickle")
def return_a_secret(owner: str, iban: str) -> list[Account]:
    """Return what should not be shown, and cannot be stored."""
    return [Account(f"{owner}, {iban}")]


@job(sensitive="account")
def tell_a_secret_within(account: dict[str, Any]) -> None:
    """Fail with an error that shows what stands deep in an argument."""
    raise ExceptionGroup("all of", [ValueError(account["keys"][0]), ValueError(account["pin"])])


@job(sensitive="group")
def load_a_secret(group: Any) -> None:
    """Be given what cannot be loaded."""
