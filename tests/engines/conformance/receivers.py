from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import signals

from django_jobs.engines import Engine
from django_jobs.states import Status
from tests.engines.conformance.counting import count_row
from tests.engines.conformance.making import NOW, after, claim, done, enqueue, failed
from tests.engines.conformance.presence import appear
from tests.engines.conformance.removing import family

LATER = NOW + timedelta(hours=1)
HEARD = ("pre_save", "post_save", "pre_delete", "post_delete")


def _ack_row_by_row(engine: Engine) -> None:
    """Ack jobs of which one is lost, so that no engine can write all of them at once."""
    enqueue(engine, 3)
    good, bad, lost = claim(engine, 3)
    assert len(engine.ack([done(good), failed(bad), done(lost, token=1)])) == 1


def _prune(engine: Engine) -> None:
    family(engine)
    assert engine.prune(Status.DEAD, before=after(50), limit=10) == 1


def _count(engine: Engine) -> None:
    engine.count([count_row(), count_row(worker_id="w2")])
    assert engine.fold(before=LATER, limit=10) == 2
    assert engine.prune_counters(before=LATER, limit=10) == 1


def _come_and_go(engine: Engine) -> None:
    appear(engine, "w1", "w2")
    appear(engine, "w1", seconds=15)
    assert engine.vanish(["w1"]) == 1
    assert engine.forget_workers(seen_before=LATER, limit=10) == 1


def _pause_and_resume(engine: Engine) -> None:
    assert engine.pause(["mail"], now=NOW) == 1
    assert engine.resume(["mail"]) == 1


@pytest.mark.django_db
class TestReceivers:
    """A worker's parent runs no code of the project's, which may hang or fail."""

    @pytest.fixture
    def called(self) -> Iterator[list[Any]]:
        """Return who sent one of Django's signals to a receiver for all models, as projects have them."""
        senders: list[Any] = []

        def hear(sender: Any, **kwargs: Any) -> None:
            senders.append(sender)

        for name in HEARD:
            getattr(signals, name).connect(hear)
        yield senders
        for name in HEARD:
            getattr(signals, name).disconnect(hear)

    @pytest.mark.parametrize("verbs", [_ack_row_by_row, _count, _come_and_go, _pause_and_resume, _prune])
    def test_what_workers_write_calls_no_receiver_of_the_project_s(
        self, engine: Engine, called: list[Any], verbs: Callable[[Engine], None]
    ) -> None:
        verbs(engine)
        assert called == []
