"""The points by name, and the wrappers that make one of them fail: the one that is armed, once.

The product knows nothing of this: its functions are wrapped in the processes of these tests only.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connections, transaction

from django_jobs.engines import engine_for
from tests.faults.ledger import Ledger

ALIAS = "default"
# Where in the call: before it, behind its first write, behind the commit and before anybody knows of it.
BEFORE, AMID, AFTER = "before", "amid", "after"
PLACES = (BEFORE, AMID, AFTER)
# What happens there: the process ends at once, or its connection is lost.
EXIT, CUT = "exit", "cut"
FAULTS = (EXIT, CUT)
EXIT_CODE = 70
# How a statement begins that is no write; the others of a verb's transaction are.
_NO_WRITES = ("SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET", "PRAGMA")


class Point(NamedTuple):
    """One point.

    Attributes:
        target: `engine:verb`, or `module:name` of what is wrapped.
        dies: whose process ends there.
    """

    target: str
    dies: str = "worker"

    @property
    def writes(self) -> bool:
        """Whether a caller waits here for the answer to a commit, which a lost connection keeps from it."""
        return self.dies in ("worker", "client") and (
            self.target.startswith("engine:") or "admin" in self.target
        )


_CHANGE = "django_jobs.admin.changing:_Step.__call__"
POINTS: dict[str, Point] = {
    # what a worker writes
    "ack": Point("engine:ack"),
    "ack of a cancelled run": Point("engine:ack"),
    "ack that retries": Point("engine:ack"),
    "appear": Point("engine:appear"),
    "claim": Point("engine:claim"),
    "count": Point("engine:count"),
    "expire": Point("engine:expire"),
    "fold": Point("engine:fold"),
    "forget workers": Point("engine:forget_workers"),
    "note": Point("engine:note"),
    "on_failure's insert": Point("engine:enqueue"),
    "promote": Point("engine:promote"),
    "prune": Point("engine:prune"),
    "prune counters": Point("engine:prune_counters"),
    "release": Point("engine:release"),
    "renew": Point("engine:renew"),
    "rescue": Point("engine:rescue"),
    "start stamp": Point("engine:start"),
    "vanish": Point("engine:vanish"),
    # what its processes do between themselves
    "event delivery": Point("django_jobs.runner.deliver:_tell", dies="runner"),
    "hand-out": Point("django_jobs.worker.line:send"),
    "message in hand": Point("django_jobs.runner.serve:run_and_report", dies="runner"),
    "nursery fork": Point("django_jobs.worker.nursery:Nursery._start", dies="nursery"),
    "recount": Point("django_jobs.worker.reconcile:Reconciliation.settled"),
    "run": Point("django_jobs.runner.turn:execute", dies="runner"),
    "runner's first moment": Point("django_jobs.worker.nursery:Nursery._be_runner", dies="runner"),
    "shutdown": Point("django_jobs.worker.loop:Loop._wind_down"),
    "take apart": Point("django_jobs.worker.worker:Worker._take_apart"),
    # what programs and people do
    "admin cancel": Point(_CHANGE, dies="client"),
    "admin pause": Point("django_jobs.admin.queue_actions:_one", dies="client"),
    "admin purge": Point("django_jobs.admin.queue_actions:_step", dies="client"),
    "admin replay": Point(_CHANGE, dies="client"),
    "admin requeue": Point(_CHANGE, dies="client"),
    "bulk enqueue": Point("engine:enqueue", dies="client"),
    "cancel": Point("engine:cancel", dies="client"),
    "cancel of a running job": Point("engine:ask_cancel", dies="client"),
    "enqueue": Point("engine:enqueue", dies="client"),
    "enqueue in a transaction": Point("engine:enqueue", dies="client"),
    "pause": Point("engine:pause", dies="client"),
    "purge": Point("engine:purge", dies="client"),
    "replay": Point("engine:replay", dies="client"),
    "requeue": Point("engine:requeue", dies="client"),
    "resume": Point("engine:resume", dies="client"),
    "unhold": Point("engine:unhold", dies="client"),
}


class Stage:
    """The folder that the processes of a test share: what is armed, what has fired, the ledger."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.ledger = Ledger(self.folder / "ledger")
        self._armed, self._fired = self.folder / "armed", self.folder / "fired"

    def arm(self, name: str, place: str, fault: str) -> None:
        """Have this point fail, the next time that anybody comes by it."""
        self._fired.unlink(missing_ok=True)
        beside = self.folder / "arming"
        beside.write_text(f"{name}|{place}|{fault}")
        beside.rename(self._armed)

    @property
    def fired(self) -> bool:
        """Whether what was armed last has failed."""
        return self._fired.exists()

    def armed(self, name: str, place: str) -> str:
        """Return what is to happen at a point, nothing where it is not this one's turn."""
        try:
            armed = self._armed.read_text().split("|")
        except FileNotFoundError:
            return ""
        return armed[2] if armed[:2] == [name, place] else ""

    def take(self) -> bool:
        """Return whether it is this process that fails; of several that come by, one does."""
        try:
            self._armed.rename(self._fired)
        except FileNotFoundError:
            return False
        return True


def install(stage: Stage) -> None:
    """Wrap every point in this process.

    Raises:
        AttributeError: the product has no such function any more.
    """
    for name, point in POINTS.items():
        place, attribute = _find(point.target)
        setattr(place, attribute, _wrapped(_Fuse(stage, name, point), getattr(place, attribute)))


def _find(target: str) -> tuple[Any, str]:
    """Return where the function is found and under which name."""
    module, _, path = target.partition(":")
    place: Any = type(engine_for(ALIAS)) if module == "engine" else import_module(module)
    *outer, attribute = path.split(".")
    for name in outer:
        place = getattr(place, name)
    getattr(place, attribute)
    return place, attribute


def _wrapped(fuse: _Fuse, function: Callable[..., Any]) -> Callable[..., Any]:
    verb = fuse.point.target.startswith("engine:")

    @functools.wraps(function)
    def call(*args: Any, **values: Any) -> Any:
        if verb and len(args) > 1 and not args[1]:
            return function(*args, **values)  # verbs take lists, and do nothing with an empty one
        fuse.burn(BEFORE)
        with connections[ALIAS].execute_wrapper(fuse.behind_a_write):
            result = function(*args, **values)
        fuse.burn_after_commit()
        return result

    return call


class _Fuse:
    """One point in one process."""

    def __init__(self, stage: Stage, name: str, point: Point) -> None:
        self._stage, self._name, self.point = stage, name, point

    def burn(self, place: str) -> None:
        """Fail here, if that is what is armed."""
        fault = self._stage.armed(self._name, place)
        if not fault or not self._stage.take():
            return
        victim = f"{self.point.dies} *"
        began, ended = ("KILL", "KILLED") if fault == EXIT else ("OUTAGE", "BACK")
        ledger = self._stage.ledger
        ledger.write(began, note=victim)
        ledger.write("FAILPOINT", note=f"{self._name} {place} {fault}")
        if fault == EXIT:
            os._exit(EXIT_CODE)
        _cut()
        ledger.write(ended, note=victim)
        if place == AFTER and self.point.writes:
            # It is committed, and nobody was told: the error is the driver's own.
            connections[ALIAS].cursor().execute("SELECT 1")

    def behind_a_write(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Execute, and fail behind the first write in a transaction."""
        result = execute(sql, params, many, context)
        if context["connection"].in_atomic_block and not sql.lstrip().upper().startswith(_NO_WRITES):
            self.burn(AMID)
        return result

    def burn_after_commit(self) -> None:
        """Fail when all is committed: now, or with the transaction that this was a part of."""
        if self._stage.armed(self._name, AFTER):
            if connections[ALIAS].in_atomic_block:
                transaction.on_commit(lambda: self.burn(AFTER), using=ALIAS)
            else:
                self.burn(AFTER)


def _cut() -> None:
    """Lose the connection under Django, as a server's end or a network's does."""
    connection = connections[ALIAS]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.rollback()  # a file has no other side that would do it
    connection.connection.close()
