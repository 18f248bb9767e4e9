"""What the ledger says and what the database says, side by side; what must hold of them is in `reckoning`.

Who enqueues writes ENQUEUED, ROLLED-BACK or UNKNOWN (nobody knows whether it was committed) of each job.
A job writes START, and END, FAILED or DYING. Who injects faults writes a line before and one after each
(see FAULTS), whose note is what it hits and the pids, or `*` for all: `worker 12,13,14`. What writes AWAKE
again and again and then is late shows that nobody on this machine got on with anything meanwhile.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from django_jobs.models import Attempt, Job, JobError
from tests.faults.ledger import Entry, Ledger

# How a fault begins and how it ends.
FAULTS = {"KILL": "KILLED", "FREEZE": "THAWED", "OUTAGE": "BACK"}
ENDS = ("END", "FAILED", "DYING")
LOST = ("crashed", "interrupted")
# So long without AWAKE (seconds), and the machine stood still: leases of two seconds may pass by that.
STANDS_STILL = 1.0
# A run whose end is written in the ledger is in the database after so many seconds, unless another fault
# has met it before.
SETTLES_WITHIN = 20.0
# And its runner has sent its report after so many, however little of the machine it gets.
REPORTS_WITHIN = 10.0
# The database's times are read on this host's clock; a cause may seem later than its effect by so much.
BLUR = 1.0


class Fault(NamedTuple):
    """Something that was done to processes, from when until when; no pids: to all."""

    kind: str
    what: str
    pids: frozenset[int]
    since: float
    until: float


class AttemptSays(NamedTuple):
    """What an Attempt says; `finished` is on the ledger's clock, as far as the database's is this host's."""

    job: str
    token: str
    round: int
    number: int
    outcome: str
    finished: float = math.inf


@dataclass(slots=True)
class Run:
    """A run as the ledger has it.

    Attributes:
        pid: its runner's.
        maker: the pid of the nursery, or of the worker where that has none.
        left: when its runner began another one after it, which it does when it has reported this one.
    """

    job: str
    token: str
    pid: int
    maker: int
    started: float
    ended: float = math.inf
    end: str = ""
    left: float = math.inf
    starts: int = 1

    def is_hit(self, fault: Fault) -> bool:
        """Return whether a fault met this run's processes while it was not settled."""
        if fault.pids and fault.pids.isdisjoint((self.pid, self.maker)):
            return False
        settled = self.ended + (REPORTS_WITHIN if fault.what in ("runner", "machine") else SETTLES_WITHIN)
        if fault.what == "runner":
            settled = min(settled, self.left)
        return self.started <= fault.until and fault.since <= settled


@dataclass
class Accounts:
    """All that is known after a storm.

    Attributes:
        jobs: the status of each job in the database.
        attempts: what its rows say.
        errors: job and token of each JobError.
        pruned: whether jobs that are final may be gone.
    """

    entries: Iterable[Entry]
    jobs: dict[str, str]
    attempts: list[AttemptSays]
    errors: set[tuple[str, str]]
    pruned: bool = False
    enqueued: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), init=False)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict, init=False)
    faults: list[Fault] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        open_: dict[tuple[str, str], float] = {}
        self._last: dict[int, Run] = {}
        awake = math.inf
        for entry in self.entries:
            key = (entry.job, entry.token)
            if entry.event == "START" and key in self.runs:
                self.runs[key].starts += 1
            elif entry.event == "START":
                self._begin(Run(*key, entry.pid, int(entry.note or 0), entry.clock))
            elif entry.event in ENDS and key in self.runs:
                self.runs[key].ended, self.runs[key].end = entry.clock, entry.event
            elif entry.event in ("ENQUEUED", "ROLLED-BACK", "UNKNOWN"):
                self.enqueued[entry.event].add(entry.job)
            elif entry.event == "AWAKE":
                if entry.clock - awake > STANDS_STILL:
                    self.faults.append(Fault("FREEZE", "machine", frozenset(), awake, entry.clock))
                awake = entry.clock
            elif entry.event in FAULTS:
                open_[entry.event, entry.note] = entry.clock
            else:
                self._close(entry, open_)
        for (kind, note), since in open_.items():
            self._add(kind, note, since, math.inf)
        self.faults.sort(key=lambda fault: fault.since)

    @classmethod
    def read(cls, ledger: Ledger, *, pruned: bool = False) -> Accounts:
        """Read the ledger and the default database."""
        rows = Attempt.objects.values_list("job_id", "token", "round", "number", "outcome", "finished_at")
        ago = time.time() - time.monotonic()
        errors = JobError.objects.values_list("job_id", "token")
        return cls(
            ledger.lines(),
            {str(pk): status for pk, status in Job.objects.values_list("pk", "status").iterator()},
            [
                AttemptSays(str(job), str(token), *more, finished.timestamp() - ago)
                for job, token, *more, finished in rows.iterator()
            ],
            {(str(job), str(token)) for job, token in errors.iterator()},
            pruned,
        )

    @cached_property
    def outcomes(self) -> dict[tuple[str, str], str]:
        """How each run ended, by job and token."""
        return {(attempt.job, attempt.token): attempt.outcome for attempt in self.attempts}

    @cached_property
    def _lost(self) -> dict[tuple[str, str], float]:
        """When each run was settled as lost."""
        lost = [attempt for attempt in self.attempts if attempt.outcome in LOST]
        return {(attempt.job, attempt.token): attempt.finished for attempt in lost}

    @cached_property
    def runs_of(self) -> dict[str, list[Run]]:
        """The runs of each job, the first one first."""
        runs: dict[str, list[Run]] = defaultdict(list)
        for run in sorted(self.runs.values(), key=lambda run: run.started):
            runs[run.job].append(run)
        return runs

    @property
    def rescues(self) -> list[float]:
        """How long after its worker was killed each lost run was settled (seconds)."""
        kills = [fault for fault in self.faults if (fault.kind, fault.what) == ("KILL", "worker")]
        found = []
        for attempt in self.attempts:
            run = self.runs.get((attempt.job, attempt.token))
            if run is not None and attempt.outcome in LOST:
                after = [attempt.finished - fault.since for fault in kills if run.is_hit(fault)]
                found += [seconds for seconds in after if seconds > 0][-1:]
        return found

    @property
    def repeats(self) -> list[tuple[Run, Run]]:
        """Each run of a job but the first, with the one before it: the earlier first."""
        return [pair for runs in self.runs_of.values() for pair in pairwise(runs)]

    def may_be_gone(self, job: str) -> bool:
        """Return whether a job that has no row has run to its end, and had one."""
        removed = self.pruned and job not in self.jobs and job in self.runs_of
        return removed and any(run.end == "END" for run in self.runs_of[job])

    def cause(self, run: Run) -> Fault | None:
        """Return the first fault that met a run, which is not stored as completed, before it was lost."""
        if self.outcomes.get((run.job, run.token)) == "completed":
            return None
        fault = next((fault for fault in self.faults if run.is_hit(fault)), None)
        lost = self._lost.get((run.job, run.token), math.inf)
        return None if fault is None or fault.since > lost + BLUR else fault

    def repeated_after(self, kind: str) -> int:
        """Return how many runs there were whose cause is that a fault of this kind met the one before."""
        causes = [self.cause(before) for before, _ in self.repeats if before.end not in ("FAILED", "DYING")]
        return [fault.kind for fault in causes if fault is not None].count(kind)

    def _begin(self, run: Run) -> None:
        before = self._last.get(run.pid)
        if before is not None and before.end:
            before.left = run.started
        self._last[run.pid] = self.runs[run.job, run.token] = run

    def _close(self, entry: Entry, open_: dict[tuple[str, str], float]) -> None:
        for kind, end in FAULTS.items():
            if entry.event == end and (kind, entry.note) in open_:
                self._add(kind, entry.note, open_.pop((kind, entry.note)), entry.clock)

    def _add(self, kind: str, note: str, since: float, until: float) -> None:
        what, pids = note.split()
        chosen = frozenset() if pids == "*" else frozenset(map(int, pids.split(",")))
        self.faults.append(Fault(kind, what, chosen, since, until))
