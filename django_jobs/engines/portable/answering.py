"""What a dead letter leads to: a job of the function that its `on_failure` names."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django_jobs import registry
from django_jobs.engines.rows import Ack, Amended, Held, NewJob
from django_jobs.engines.settling import settle
from django_jobs.exceptions import UnknownJobFunction
from django_jobs.options import OnFailure, Options
from django_jobs.serializers import Owner, dump_args
from django_jobs.states import Status
from django_jobs.uuid7 import uuid7

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

# Whether the function takes an id was asked when the job was enqueued. Here nothing may be refused any more:
# the outcome of the dead job is written in the same transaction.
_ANYTHING = inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])


def answer(engine: Engine, acks: Sequence[Ack], amended: Sequence[Amended]) -> list[Amended]:
    """Enqueue what is to be called for the jobs that are dead now; every way to ack calls it at its end.

    Args:
        amended: which of the acks were not written as they were given.

    Returns:
        The same, and with them those that have made a job.
    """
    written = {one.held: one for one in amended}
    made = [each for ack in acks if ack.on_failure and (each := _answered(ack, written))]
    engine.enqueue([one.enqueued for one in made if one.enqueued])
    return list({**written, **{one.held: one for one in made}}.values())


def _answered(ack: Ack, amended: dict[Held, Amended]) -> Amended | None:
    one = amended.get(ack.held) or Amended(ack.held, ack.outcome)
    if ack.on_failure is None or not _is_dead(ack, one):
        return None
    return one._replace(enqueued=_job(ack, ack.on_failure))


def _is_dead(ack: Ack, one: Amended) -> bool:
    if one.outcome is None or one.cancelled or not one.outcome.outcome.charged:
        return False
    return settle(ack._replace(outcome=one.outcome)).status is Status.DEAD


def _job(ack: Ack, then: OnFailure) -> NewJob:
    options, owner = _options(then), Owner(uuid7(), then.function)
    return NewJob(
        id=owner.id,
        function=owner.function,
        queue=options.queue,
        status=Status.READY,
        priority=options.priority,
        run_after=ack.finished_at,
        args=dump_args(_ANYTHING, owner, [ack.outcome.job_id], {}),
        options=options.stored(),
        max_attempts=options.max_attempts,
        timeout=options.timeout,
    )


def _options(then: OnFailure) -> Options:
    """Return the options of the function, as far as this process knows it."""
    try:
        options = registry.find(then.function).options.resolved()
    except UnknownJobFunction:
        options = Options().resolved()
    if options.on_failure is None:
        return options
    # Two that answer for each other would go on for ever: each function has one turn.
    if options.on_failure in (*then.follows, then.function):
        return replace(options, on_failure=None)
    return replace(options, follows=then.follows)
