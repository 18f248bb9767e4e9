"""Whoever does what when to two jobs: each promise is kept, and the engines do as the machine says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.states import TRANSITIONS, Status
from tests.faults.enacting import DEEDS, enact
from tests.faults.explorer import Worlds, all_rows
from tests.faults.machine import ACTIONS, Action, Row, Step, after, may
from tests.faults.planted import PORTABLE, WHOLESALE, Bug
from tests.faults.promises import PROMISES, broken
from tests.tiers import by_tier

ROWS = all_rows()
PERSONS = {"cancel", "requeue", "replay", "prune", "purge"}


class Done(NamedTuple):
    """A step that an engine has made."""

    row: Row | None
    action: Action
    step: Step


def steps(engine: Engine, verbs: Iterable[str] = DEEDS) -> Iterator[Done]:
    """Have an engine do each action to each row, to all at once; and by kinds where that goes another way."""
    for action in (action for action in ACTIONS if action.verb in verbs):
        rows = [row for row in known(ROWS) if may(row, action)]
        wholesale = action.token is not None and isinstance(engine, WholesaleEngine)
        for some in (*(kinds(rows) if wholesale else ()), rows):
            for row, step in zip(some, enact(engine, action, some), strict=True):
                yield Done(row, action, step)


def kinds(rows: list[Row | None]) -> Iterator[list[Row | None]]:
    """Yield the running ones, apart by whether they are asked to end: a batch of a kind is written whole."""
    for asked in (False, True):
        yield [row for row in rows if row and row.status is Status.RUNNING and bool(row.asked) is asked]


def known(rows: list[Row | None]) -> list[Row | None]:
    """Return what of these rows the database can tell apart: it does not know whose worker has died."""
    told_apart = [row for row in rows if row is None or not row.lost]
    return by_tier([row for row in told_apart if row is None or _is_plain(row)], told_apart)


def _is_plain(row: Row) -> bool:
    # One worker is as good as the other, a second attempt is neither the first nor the last, and that it was
    # replayed matters only to the next replay.
    return not row.worker and row.attempts != 1 and (row.status is Status.DEAD or not row.replayed)


class TestMachine:
    def test_every_step_keeps_every_promise(self) -> None:
        for row in ROWS:
            for action in ACTIONS:
                if may(row, action):
                    assert list(broken(row, action, after(row, action))) == [], (row, action)

    def test_from_every_world_all_jobs_come_to_an_end(self) -> None:
        worlds = Worlds()
        assert len(worlds) > 90_000
        assert worlds.stuck() == []

    @pytest.mark.parametrize("verb", ["claim", "promote", "rescue", "unhold"])
    def test_without_one_of_the_verbs_jobs_are_lost(self, verb: str) -> None:
        assert Worlds(without=PERSONS).stuck() == []
        assert Worlds(without=PERSONS | {verb}).stuck()

    def test_every_way_of_the_table_is_walked(self) -> None:
        walked: dict[str, set[Status | None]] = {}
        for row in ROWS:
            for action in ACTIONS:
                if may(row, action) and (step := after(row, action)).wrote:
                    walked.setdefault(action.verb, set()).add(step.row.status if step.row else None)
        asked = {"cancel": TRANSITIONS["ask_cancel"][1] | TRANSITIONS["cancel"][1]}
        for verb in TRANSITIONS.keys() - {"ask_cancel", "expire"}:
            assert walked[verb] == asked.get(verb, TRANSITIONS[verb][1]), verb


@pytest.mark.faults
@pytest.mark.django_db
@pytest.mark.timeout(600)
class TestEngines:
    @pytest.mark.parametrize("make", [engine_for, Engine])
    def test_each_step_is_the_machine_s(self, make: type[Engine]) -> None:
        for done in steps(make("default")):
            assert done.step == after(done.row, done.action), done

    @pytest.mark.parametrize("bug", PORTABLE)
    def test_a_bug_that_is_planted_is_found(self, bug: str) -> None:
        with PORTABLE[bug].plant():
            assert is_found(PORTABLE[bug], Engine("default"))

    @pytest.mark.only_on("sqlite", "mariadb")
    @pytest.mark.parametrize("bug", WHOLESALE)
    def test_a_bug_that_is_planted_into_the_statements_for_many_is_found(self, bug: str) -> None:
        with WHOLESALE[bug].plant():
            assert is_found(WHOLESALE[bug], engine_for("default"))


def test_there_is_a_bug_for_every_promise() -> None:
    assert {bug.promise for bug in (PORTABLE | WHOLESALE).values()} == PROMISES.keys()


def is_found(bug: Bug, engine: Engine) -> bool:
    """Return whether any step of the bug's verb breaks the bug's promise."""
    return any(bug.promise in broken(*done) for done in steps(engine, [bug.verb]))
