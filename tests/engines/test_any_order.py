"""Any verbs in any order, over two connections: the tables are always what a model of them says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple, TypeVar
from unittest import mock
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_jobs import JobNotFound, client, queue_verbs, retries
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable.removing import CHILDREN, delete_rows
from django_jobs.engines.rows import MAX_INTERRUPTIONS, Ack, Held, Released, Started
from django_jobs.models import Attempt, Job, Queue
from django_jobs.outcomes import Outcome
from django_jobs.states import FINAL, PENDING, AttemptOutcome, CancelRequest, Status
from tests import jobs as functions
from tests.engines.conformance.making import ERROR, NOW, new
from tests.faults.machine import ENDS, MAX_ATTEMPTS, Action, End, Row, Step, Token, after
from tests.payloads import args_of
from tests.tiers import by_tier

T = TypeVar("T")
LEASE = timedelta(seconds=60)
NOBODY = UUID("01890000-0000-7000-8000-000000000000")
QUEUES = ["default", "Default", "défault'%s\"\N{PILE OF POO}"]
CONNECTIONS = st.integers(0, 1)
TEXTS = st.one_of(
    st.sampled_from(["", "\0", "\ud800", "%s %(x)s", "'; DROP TABLE django_jobs_job; --"]),
    st.text(st.characters(), max_size=20),
)
# Of what is at hand, the newest first.
PICKS = st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True)
SELDOM = st.sampled_from([False] * 5 + [True])
LIMITS = st.sampled_from([1, 2, 100])


class Claim(NamedTuple):
    """What a worker keeps of a claim, for however long."""

    held: Held
    worker: int
    round: int
    number: int


class Stored(NamedTuple):
    """What is compared of a job."""

    queue: str
    priority: int
    status: str
    run_after: datetime
    holds: int
    round: int
    attempts: int
    interruptions: int
    worker_id: str
    claim_token: int | None
    lease: datetime | None
    cancel_requested: int


@dataclass
class Known:
    """What the model knows of a job."""

    row: Row
    queue: str
    priority: int
    due: datetime
    round: int = 1
    interruptions: int = 0
    token: int | None = None
    lease: datetime | None = None
    written: list[tuple[Any, ...]] = field(default_factory=list)

    def do(self, verb: str, way: Any = None, *, token: int | None = None, at: datetime) -> Step:
        """Have the machine do it, and note what the machine does not know."""
        before, carried = self.row, self.token
        mine = None if token is None else Token.CURRENT if token == self.token else Token.OLD
        step = after(before._replace(lapsed=verb == "rescue"), Action(verb, way, mine))
        if not step.wrote or step.row is None:
            return step
        if verb == "requeue":
            self.round, self.due, self.interruptions = self.round + 1, at, 0
        if step.attempt:
            outcome, number, _ = step.attempt
            self.written.append((carried, self.round, number, outcome))
            self.interruptions += not outcome.charged
        self.row = step.row._replace(alone=self.interruptions >= MAX_INTERRUPTIONS, lapsed=False)
        if self.row.status is not Status.RUNNING:
            self.token = self.lease = None
        if self.row.status in FINAL and before.status not in FINAL:
            self.due = at
        return step

    def stored(self) -> Stored:
        """Return what the database should have of it."""
        row = self.row
        worker = "" if row.worker is None else f"w{row.worker}"
        place = (self.queue, self.priority, row.status.value, self.due, row.holds)
        counts = (self.round, row.attempts, self.interruptions)
        return Stored(*place, *counts, worker, self.token, self.lease, row.asked)


class AnyOrder(RuleBasedStateMachine):
    """The rules are the verbs; what they were given and gave stays at hand, be it long out of date."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.known: dict[UUID, Known] = {}
        self.jobs: list[UUID] = []
        self.claims: list[Claim] = []
        self.paused: set[str] = set()
        self.tokens = count(1)
        self.stack = ExitStack()
        first = connections["default"]
        self.connections = [first, first.copy()]
        self.stack.callback(self.connections[1].close)
        self.stack.enter_context(mock.patch.object(client, "now", self.moment))
        self.stack.enter_context(mock.patch.object(Engine, "read_clock", self.moment))
        self.engine = engine_for("default")

    def teardown(self) -> None:
        for model in (*CHILDREN, Queue, Job):
            delete_rows(model.objects.all())
        self.stack.close()

    def moment(self, *_: object) -> datetime:
        """Return what the clocks of host and database show."""
        return self.now

    @contextmanager
    def over(self, number: int) -> Iterator[None]:
        """Let everything in here go over one of the two connections."""
        usual, connections["default"] = connections["default"], self.connections[number]
        try:
            yield
        finally:
            connections["default"] = usual

    @invariant()
    def the_tables_are_what_the_model_says(self) -> None:
        with self.over(1):
            found = {pk: Stored(*values) for pk, *values in Job.objects.values_list("pk", *Stored._fields)}
            assert found == {job_id: known.stored() for job_id, known in self.known.items()}
            columns = ("job_id", "token", "round", "number", "outcome")
            expected = [(job_id, *one) for job_id, known in self.known.items() for one in known.written]
            assert sorted(Attempt.objects.values_list(*columns)) == sorted(expected)
            assert self.engine.paused() == sorted(self.paused)

    @initialize()
    def begin_in_the_midst(self) -> None:
        made = functions.echo.enqueue_many([(number,) for number in range(6)])
        for job in made:
            self._made(job.pk, Known(Row(Status.READY), job.queue, job.priority, self.now))
        self._claimed([*self._claim(QUEUES, 2, 0), *self._claim(QUEUES, 2, 1)])

    def _made(self, job_id: UUID, known: Known) -> None:
        self.known[job_id] = known
        self.jobs.append(job_id)

    @rule(
        over=CONNECTIONS,
        texts=st.lists(TEXTS, min_size=1, max_size=3),
        queue=st.sampled_from(QUEUES),
        priority=st.sampled_from([-32767, -1, 0, 0, 1, 32767]),
        delay=st.sampled_from([None, None, -5, 0, 30, 3600]),
        commits=st.sampled_from([True, True, True, False]),
    )
    def enqueue(
        self, over: int, texts: list[str], queue: str, priority: int, delay: float | None, commits: bool
    ) -> None:
        run_after = None if delay is None else timedelta(seconds=delay)
        function = functions.echo.using(queue=queue, priority=priority, run_after=run_after)
        with self.over(over), transaction.atomic():
            made = function.enqueue_many([(text,) for text in texts])
            assert [args_of(Job.objects.get(pk=job.pk)) for job in made] == [([text], {}) for text in texts]
            with self.over(1 - over):
                assert not Job.objects.filter(pk__in=[job.pk for job in made]).exists()
            transaction.set_rollback(not commits)
        later = (delay or 0) > 0
        for job in made if commits else ():
            row = Row(Status.SCHEDULED if later else Status.READY)
            self._made(job.pk, Known(row, queue, priority, self.now + run_after if later else self.now))

    @rule(over=CONNECTIONS, holds=st.integers(1, 2), delay=st.sampled_from([0, 30]))
    def enqueue_waiting(self, over: int, holds: int, delay: int) -> None:
        due = self.now + timedelta(seconds=delay)
        job = new(status=Status.WAITING, holds=holds, run_after=due)
        with self.over(over):
            self.engine.enqueue([job])
        self._made(job.id, Known(Row(Status.WAITING, holds=holds), job.queue, job.priority, due))

    @rule(
        over=CONNECTIONS,
        worker=st.integers(0, 1),
        queues=st.sampled_from([QUEUES, [*QUEUES, *QUEUES, "nobody's"], QUEUES[:1], []]),
        n=st.sampled_from([4, 2, 1, 0]),
    )
    def claim(self, over: int, worker: int, queues: list[str], n: int) -> None:
        queues = self._unpaused(queues)
        best = sorted(
            self._ready(queues),
            key=lambda job_id: (-self.known[job_id].priority, self.known[job_id].due, job_id),
        )
        with self.over(over):
            claimed = self._claim(queues, n, worker)
        assert [claim.held.id for claim in claimed] == best[:n]
        self._claimed(claimed)

    @precondition(lambda self: connection.features.has_select_for_update_skip_locked)
    @rule(ns=st.tuples(st.integers(1, 3), st.integers(1, 3)), commits=st.booleans())
    def claim_beside_another(self, ns: tuple[int, int], commits: bool) -> None:
        queues = self._unpaused(QUEUES)
        ready = self._ready(queues)
        with self.over(0), transaction.atomic():
            first = self._claim(queues, ns[0], 0)
            with self.over(1):
                second = self._claim(queues, ns[1], 1)
            transaction.set_rollback(not commits)
        taken = [claim.held.id for claim in (*first, *second)]
        assert len(set(taken)) == len(taken)
        assert set(ready).issuperset(taken)
        assert (len(first), len(second) <= ns[1]) == (min(ns[0], len(ready)), True)
        self._claimed([*(first if commits else ()), *second])

    def _unpaused(self, queues: Sequence[str]) -> list[str]:
        # As a worker does, but for those it was just told of.
        return [name for name in queues if name not in self.paused]

    def _ready(self, queues: Sequence[str]) -> list[UUID]:
        return [job_id for job_id in self.in_status(Status.READY) if self.known[job_id].queue in queues]

    def _claim(self, queues: Sequence[str], n: int, worker: int) -> list[Claim]:
        token, lease = next(self.tokens), self.now + LEASE
        found = self.engine.claim(queues, n, worker_id=f"w{worker}", token=token, lease=lease)
        return [Claim(Held(job.id, token), worker, job.round, job.number) for job in found]

    def _claimed(self, claims: Sequence[Claim]) -> None:
        self.claims += claims
        for (job_id, token), worker, _, _ in claims:
            known = self.known[job_id]
            known.do("claim", worker, at=self.now)
            known.token, known.lease = token, self.now + LEASE

    @rule(over=CONNECTIONS, picks=PICKS)
    def start(self, over: int, picks: list[int]) -> None:
        claims = _some(self.claims, picks)
        with self.over(over):
            self.engine.start([Started(claim.held, self.now) for claim in claims])
        for claim in claims:
            self._do(claim, "start")

    @rule(over=CONNECTIONS, picks=PICKS)
    def renew(self, over: int, picks: list[int]) -> None:
        claims = _some(self.claims, picks)
        with self.over(over):
            lost = self.engine.renew([claim.held for claim in claims], lease=self.now + LEASE)
        kept = [claim for claim in claims if self._do(claim, "renew")]
        for claim in kept:
            self.known[claim.held.id].lease = self.now + LEASE
        assert set(lost) == {claim.held for claim in claims} - {claim.held for claim in kept}

    @rule(
        over=CONNECTIONS,
        picks=PICKS,
        delay=st.sampled_from([None, 9]),
    )
    def release(self, over: int, picks: list[int], delay: int | None) -> None:
        claims = _some(self.claims, picks)
        until = None if delay is None else self.now + timedelta(seconds=delay)
        with self.over(over):
            returned = self.engine.release([Released(claim.held, until) for claim in claims])
        to = Status.READY if until is None else Status.SCHEDULED
        ours = [claim.held for claim in claims if self._do(claim, "release", to)]
        for job_id, _ in ours:
            known = self.known[job_id]
            known.due = until if until and known.row.status is Status.SCHEDULED else known.due
        cancelled = {held for held in ours if self.known[held.id].row.status is Status.CANCELLED}
        assert (returned.ours, set(returned.cancelled)) == (len(ours), cancelled)

    @rule(
        over=CONNECTIONS,
        picks=PICKS,
        ends=st.lists(st.tuples(st.sampled_from(ENDS), TEXTS), min_size=4, max_size=4),
    )
    def ack(self, over: int, picks: list[int], ends: list[tuple[End, str]]) -> None:
        claims = _some(self.claims, picks)
        acks = [self._ack(claim, *end) for claim, end in zip(claims, ends, strict=False)]
        with self.over(over):
            amended = {one.held: one for one in self.engine.ack(acks)}
        for claim, ack in zip(claims, acks, strict=True):
            told = amended.get(ack.held)
            # What no database can store is written as a failure; which that is the vendors see differently.
            written = told.outcome if told and told.outcome else ack.outcome
            ours = self._do(claim, "ack", End(written.outcome, written.retry_in))
            assert ours == (told is None or told.outcome is not None)
            if ours:
                self._retried(claim.held.id, written.outcome, written.retry_in)

    def _ack(self, claim: Claim, end: End, text: str) -> Ack:
        again = None if claim.number >= MAX_ATTEMPTS else end.retry_in
        made = Outcome(
            *claim.held,
            end.outcome,
            retry_in=again,
            result_data=text if end.outcome is AttemptOutcome.COMPLETED else None,
            error=ERROR if end.outcome is AttemptOutcome.FAILED else None,
        )
        return Ack(made, claim.round, claim.number, f"w{claim.worker}", self.now, self.now)

    def _retried(self, job_id: UUID, outcome: AttemptOutcome, retry_in: float | None) -> None:
        known = self.known[job_id]
        if retry_in is not None and outcome.charged and known.row.status in PENDING:
            known.due = self.now + timedelta(seconds=retry_in)

    def _do(self, claim: Claim, verb: str, way: Any = None) -> bool:
        """Have the model do what a worker did with a claim; return whether it was still its own."""
        known = self.known.get(claim.held.id)
        return known is not None and known.do(verb, way, token=claim.held.token, at=self.now).wrote

    @rule(seconds=st.sampled_from([1, 30]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(over=CONNECTIONS, limit=LIMITS, seconds=st.sampled_from([0, 3600]))
    def promote(self, over: int, limit: int, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        scheduled = {job_id: self.known[job_id].due for job_id in self.in_status(Status.SCHEDULED)}
        due = [job_id for job_id, moment in scheduled.items() if moment <= self.now]
        with self.over(over):
            assert self.engine.next_due() == min(scheduled.values(), default=None)
            assert self.engine.promote(now=self.now, limit=limit) == min(limit, len(due))
        promoted = [job_id for job_id in due if Job.objects.get(pk=job_id).status == Status.READY]
        waiting = [scheduled[job_id] for job_id in due if job_id not in promoted]
        # Of several that are due at one moment any may be first.
        assert all(scheduled[job_id] <= moment for job_id in promoted for moment in waiting)
        for job_id in promoted:
            self.known[job_id].do("promote", at=self.now)

    @rule(over=CONNECTIONS, limit=LIMITS, seconds=st.sampled_from([0, 61]))
    def rescue(self, over: int, limit: int, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        running = self.in_status(Status.RUNNING)
        lapsed = {job_id for job_id in running if (self.known[job_id].lease or self.now) < self.now}
        with self.over(over):
            rescued = self.engine.rescue(now=self.now, limit=limit)
        assert len(rescued) == min(limit, len(lapsed))
        assert lapsed.issuperset(one.id for one in rescued)
        for one in rescued:
            known = self.known[one.id]
            number = known.row.attempts + 1
            known.do("rescue", at=self.now)
            retry_in = retries.without_exception(None, number=number, max_attempts=MAX_ATTEMPTS)
            self._retried(one.id, one.outcome, retry_in)
            assert one.status == known.row.status

    @rule(over=CONNECTIONS, worker=st.integers(0, 1))
    def another_takes_over(self, over: int, worker: int) -> None:
        self.rescue(over, 100, 61)
        self.promote(1 - over, 100, 3600)
        self.claim(over, worker, QUEUES, 4)

    @rule(over=CONNECTIONS, picks=PICKS)
    def unhold(self, over: int, picks: list[int]) -> None:
        ids = _some(self.jobs, picks)
        with self.over(over):
            left = self.engine.unhold(ids, now=self.now)
        for job_id in ids:
            if known := self.known.get(job_id):
                left -= known.row.holds == 1 and known.row.status is Status.WAITING
                known.do("unhold", Status.SCHEDULED if known.due > self.now else Status.READY, at=self.now)
        assert left == 0

    @rule(over=CONNECTIONS, picks=PICKS, unknown=SELDOM, force=st.booleans())
    def cancel(self, over: int, picks: list[int], unknown: bool, force: bool) -> None:
        ids = _some(self.jobs, picks) + [NOBODY] * unknown
        way = CancelRequest.FORCED if force else CancelRequest.ASKED
        with self.over(over), self._missing(ids):
            cancelled, asked = client.cancel(ids, force=force)
            done = [known for known in self._of(ids) if known.do("cancel", way, at=self.now).wrote]
            assert asked == sum(known.row.status is Status.RUNNING for known in done)
            assert cancelled + asked == len(done)

    @rule(over=CONNECTIONS, picks=PICKS, unknown=SELDOM)
    def requeue(self, over: int, picks: list[int], unknown: bool) -> None:
        ids = _some(self.jobs, picks) + [NOBODY] * unknown
        with self.over(over), self._missing(ids):
            requeued = client.requeue(ids)
            final = [known for known in self._of(ids) if known.do("requeue", at=self.now).wrote]
            assert requeued == len(final)

    @rule(over=CONNECTIONS, picks=PICKS, unknown=SELDOM)
    def replay(self, over: int, picks: list[int], unknown: bool) -> None:
        ids = _some(self.jobs, picks) + [NOBODY] * unknown
        with self.over(over), self._missing(ids):
            made = client.replay(ids)
            letters = [known for known in self._of(ids) if known.do("replay", at=self.now).begun]
            for job, known in zip(made, letters, strict=True):
                self._made(job.pk, Known(Row(Status.READY), known.queue, known.priority, self.now))

    @contextmanager
    def _missing(self, ids: list[UUID]) -> Iterator[None]:
        """Expect a refusal where one of these does not exist."""
        if self.known.keys() >= set(ids):
            yield
        else:
            with pytest.raises(JobNotFound):
                yield

    def _of(self, ids: list[UUID]) -> list[Known]:
        return [self.known[job_id] for job_id in dict.fromkeys(ids)]

    @rule(over=CONNECTIONS, queue=st.sampled_from(QUEUES), pausing=st.booleans())
    def pause_or_resume(self, over: int, queue: str, pausing: bool) -> None:
        with self.over(over):
            changed = (queue_verbs.pause if pausing else queue_verbs.resume)(queue)
        assert changed == ((queue in self.paused) is not pausing)
        self.paused ^= {queue} if changed else set()

    @rule(
        over=CONNECTIONS, status=st.sampled_from(sorted(FINAL)), age=st.sampled_from([-1, 60]), limit=LIMITS
    )
    def prune(self, over: int, status: Status, age: int, limit: int) -> None:
        before = self.now - timedelta(seconds=age)
        old = {job_id: self.known[job_id].due for job_id in self.in_status(status)}
        old = {job_id: moment for job_id, moment in old.items() if moment < before}
        with self.over(over):
            assert self.engine.prune(status, before=before, limit=limit) == min(limit, len(old))
        gone = self._forget(old)
        kept = [moment for job_id, moment in old.items() if job_id not in gone]
        assert all(old[job_id] <= moment for job_id in gone for moment in kept)

    @rule(
        over=CONNECTIONS,
        queue=st.sampled_from(QUEUES),
        statuses=st.lists(st.sampled_from(Status), max_size=3),
        limit=LIMITS,
    )
    def purge(self, over: int, queue: str, statuses: list[Status], limit: int) -> None:
        wanted = [job_id for status in set(statuses) - {Status.RUNNING} for job_id in self.in_status(status)]
        wanted = [job_id for job_id in wanted if self.known[job_id].queue == queue]
        with self.over(over):
            assert queue_verbs.purge(queue, statuses=statuses, limit=limit) == min(limit, len(wanted))
        self._forget(wanted)

    def _forget(self, ids: Iterable[UUID]) -> set[UUID]:
        """Return those of these that are gone; the model has them no more either."""
        wanted = list(ids)
        gone = set(wanted).difference(Job.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        for job_id in gone:
            del self.known[job_id]
        return gone

    def in_status(self, status: Status) -> list[UUID]:
        """Return the jobs of this status."""
        return [job_id for job_id, known in self.known.items() if known.row.status is status]


def _some(pool: Sequence[T], picks: list[int]) -> list[T]:
    return [pool[-1 - pick] for pick in picks if pick < len(pool)]


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.django_db(transaction=True)
def test_whatever_the_order_the_tables_are_what_the_model_says(
    record_property: Callable[[str, object], None],
) -> None:
    # A step takes some 4 ms of this process on SQLite, and on a busy machine six times as long.
    orders, steps = by_tier(8, 40, 300), by_tier(30, 50, 80)
    record_property("size", f"{orders:,} orders of {steps} steps")
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=orders,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
