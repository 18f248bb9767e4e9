"""The accounts find whatever breaks a promise: a wrong ledger or a wrong row is planted for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import SETTLES_WITHIN, Accounts, AttemptSays
from tests.faults.ledger import Entry, Ledger
from tests.faults.reckoning import PROMISES, broken

RUNNER, NURSERY, OTHER = 11, 10, 99


class Story:
    """What happened and what is stored, a second a line; without a change all is well."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.jobs: dict[str, str] = {}
        self.attempts: list[AttemptSays] = []
        self.errors: set[tuple[str, str]] = set()

    def say(
        self, event: str, job: str = "-", token: str = "-", pid: int = RUNNER, note: object = NURSERY
    ) -> None:
        self.entries.append(Entry(float(len(self.entries)), pid, event, job, 1, token, str(note)))

    def enqueue(self, job: str, status: str = "completed") -> None:
        self.say("ENQUEUED", job)
        self.jobs[job] = status

    def wrote(
        self, job: str, token: str, outcome: str = "completed", number: int = 1, finished: float = math.inf
    ) -> None:
        self.attempts.append(AttemptSays(job, token, 1, number, outcome, finished))
        if outcome in ("failed", "crashed"):
            self.errors.add((job, token))

    def run(
        self, job: str, token: str, outcome: str = "completed", number: int = 1, end: str = "END"
    ) -> None:
        self.say("START", job, token)
        if end:
            self.say(end, job, token)
        self.wrote(job, token, outcome, number)

    def kill(self, what: str, *pids: int) -> None:
        note = f"{what} {','.join(map(str, pids))}"
        self.say("KILL", note=note)
        self.say("KILLED", note=note)

    def broken(self, *, pruned: bool = False) -> set[str]:
        accounts = Accounts(self.entries, self.jobs, self.attempts, self.errors, pruned)
        return {sentence.partition(": ")[0] for sentence in broken(accounts)}


def usual() -> Story:
    """Tell of jobs that completed, failed once, were killed with their runner or worker, died, never were."""
    story = Story()
    story.enqueue("plain")
    story.run("plain", "1")
    story.enqueue("failing")
    story.run("failing", "2", "failed", end="FAILED")
    story.run("failing", "3", number=2)
    story.enqueue("killed")
    story.run("killed", "4", "crashed", end="")
    story.kill("runner", RUNNER)
    story.run("killed", "5", "interrupted", number=2, end="")
    story.kill("worker", 9, NURSERY)
    story.run("killed", "6", number=2)
    story.enqueue("poison", "dead")
    story.run("poison", "7", "crashed", end="DYING")
    story.say("ROLLED-BACK", "undone")
    story.say("UNKNOWN", "neither")
    story.say("UNKNOWN", "either")
    story.jobs["either"] = "completed"
    story.run("either", "8")
    return story


def _lose(story: Story) -> None:
    story.enqueue("lost", "running")


def _forget(story: Story) -> None:
    del story.jobs["plain"]


def _complete_without_an_end(story: Story) -> None:
    story.enqueue("hollow")
    story.run("hollow", "20", end="")


def _complete_without_a_run(story: Story) -> None:
    story.enqueue("hollow")


def _run_what_was_rolled_back(story: Story) -> None:
    story.run("undone", "20")


def _store_what_was_rolled_back(story: Story) -> None:
    story.jobs["undone"] = "ready"


def _leave_the_unknown(story: Story) -> None:
    story.jobs["either"] = "running"


def _run_what_is_not_there(story: Story) -> None:
    story.run("neither", "20")


def _run_what_nobody_enqueued(story: Story) -> None:
    story.jobs["foundling"] = "completed"
    story.run("foundling", "20")


def _run_a_claim_twice(story: Story) -> None:
    story.say("START", "plain", "1", pid=OTHER)


def _write_nothing_of_a_run(story: Story) -> None:
    story.attempts = [attempt for attempt in story.attempts if attempt.token != "2"]
    story.errors.discard(("failing", "2"))


def _run_again(story: Story) -> None:
    story.run("plain", "20", number=2)


def _run_again_what_no_kill_has_met(story: Story) -> None:
    story.run("plain", "20", "interrupted", number=2, end="")
    story.kill("worker", OTHER)
    story.run("plain", "21", number=2)


def _run_again_before_the_kill(story: Story) -> None:
    story.enqueue("early")
    story.run("early", "20", "interrupted", end="")
    story.run("early", "21")
    story.kill("worker", NURSERY)


def _run_again_what_its_runner_had_reported(story: Story) -> None:
    story.enqueue("reported")
    story.run("reported", "20", "crashed")
    story.enqueue("next")
    story.run("next", "21", "crashed", end="")
    story.kill("runner", RUNNER)
    story.run("next", "22", number=2)
    story.run("reported", "23", number=2)


def _run_again_after_the_kill_of_an_idle_runner(story: Story) -> None:
    story.enqueue("reported")
    story.run("reported", "20", "crashed")
    for _ in range(20):
        story.say("ENQUEUED", "plain")
    story.kill("runner", RUNNER)
    story.run("reported", "21", number=2)


def _crash_by_itself(story: Story) -> None:
    story.enqueue("crashed", "dead")
    story.run("crashed", "20", "crashed", end="")


def _crash_before_the_kill(story: Story) -> None:
    story.enqueue("crashed")
    story.say("START", "crashed", "20")
    story.wrote("crashed", "20", "crashed", finished=float(len(story.entries)))
    story.say("ENQUEUED", "crashed")
    story.say("ENQUEUED", "crashed")
    story.kill("worker", NURSERY)
    story.run("crashed", "21", number=2)


def _run_again_what_had_ended_long_before(story: Story) -> None:
    story.enqueue("settled")
    story.run("settled", "20", "interrupted")
    for _ in range(int(SETTLES_WITHIN)):
        story.say("ENQUEUED", "settled")
    story.kill("worker", NURSERY)
    story.run("settled", "21")


def _run_beside_itself_before_a_freeze(story: Story) -> None:
    story.enqueue("twofold")
    story.run("twofold", "20", "interrupted", end="")
    story.run("twofold", "21")
    story.say("FREEZE", note=f"worker {NURSERY}")
    story.say("THAWED", note=f"worker {NURSERY}")
    story.say("END", "twofold", "20")


def _run_beside_itself(story: Story) -> None:
    story.enqueue("twofold")
    story.run("twofold", "20", "interrupted", end="")
    story.kill("worker", NURSERY)
    story.run("twofold", "21")
    story.say("END", "twofold", "20")


def _ack_twice(story: Story) -> None:
    story.wrote("plain", "1")


def _complete_twice(story: Story) -> None:
    story.wrote("plain", "20")


def _fail_without_an_error(story: Story) -> None:
    story.errors.discard(("failing", "2"))


def _blame_without_a_failure(story: Story) -> None:
    story.errors.add(("plain", "1"))


def _lose_two_at_once(story: Story) -> None:
    for job, token in (("one", "20"), ("two", "21")):
        story.enqueue(job)
        story.run(job, token, "interrupted", end="")
    story.kill("runner", RUNNER)
    for job, token in (("one", "22"), ("two", "23")):
        story.run(job, token)


PLANTED: list[tuple[Callable[[Story], None], str]] = [
    (_lose, "an acknowledged job is final"),
    (_forget, "an acknowledged job is final"),
    (_complete_without_an_end, "what is completed has ended"),
    (_complete_without_a_run, "what is completed has ended"),
    (_run_what_was_rolled_back, "what was rolled back is nowhere"),
    (_store_what_was_rolled_back, "what was rolled back is nowhere"),
    (_leave_the_unknown, "what nobody knows of is there or it is not"),
    (_run_what_is_not_there, "what nobody knows of is there or it is not"),
    (_run_what_nobody_enqueued, "what runs was enqueued"),
    (_run_a_claim_twice, "a claim runs once"),
    (_write_nothing_of_a_run, "every run is written"),
    (_run_again, "a second run has a cause"),
    (_run_again_what_no_kill_has_met, "a second run has a cause"),
    (_run_again_before_the_kill, "a second run has a cause"),
    (_run_again_what_its_runner_had_reported, "a second run has a cause"),
    (_run_again_after_the_kill_of_an_idle_runner, "a second run has a cause"),
    (_crash_by_itself, "a lost run has a cause"),
    (_crash_before_the_kill, "a lost run has a cause"),
    (_run_again_what_had_ended_long_before, "a second run has a cause"),
    (_run_beside_itself, "runs of a job do not overlap"),
    (_run_beside_itself_before_a_freeze, "runs of a job do not overlap"),
    (_ack_twice, "a run is acked once"),
    (_complete_twice, "a run is acked once"),
    (_fail_without_an_error, "what went wrong has its error, and nothing else has"),
    (_blame_without_a_failure, "what went wrong has its error, and nothing else has"),
    (_lose_two_at_once, "a runner that is killed loses one run"),
]


def test_nothing_is_wrong_with_what_may_happen() -> None:
    assert usual().broken() == set()


@pytest.mark.parametrize(("plant", "promise"), PLANTED)
def test_what_is_wrong_is_found(plant: Callable[[Story], None], promise: str) -> None:
    story = usual()
    plant(story)
    assert promise in story.broken()


def test_something_is_planted_for_every_promise() -> None:
    assert {promise for _, promise in PLANTED} == PROMISES.keys()


def test_a_frozen_run_may_end_late() -> None:
    story = usual()
    story.enqueue("frozen")
    story.run("frozen", "20", "interrupted", end="")
    story.say("FREEZE", note=f"worker {NURSERY}")
    story.run("frozen", "21")
    story.say("THAWED", note=f"worker {NURSERY}")
    story.say("END", "frozen", "20")
    assert story.broken() == set()


def test_an_outage_meets_all_there_are() -> None:
    story = usual()
    story.enqueue("cut off")
    story.run("cut off", "20", "interrupted", end="")
    story.say("OUTAGE", note="database *")
    story.run("cut off", "21")
    story.say("BACK", note="database *")
    assert story.broken() == set()


@pytest.mark.parametrize(("pause", "excused"), [(0.5, False), (3, True)])
def test_a_machine_that_stood_still_has_frozen_all(pause: float, excused: bool) -> None:
    story = usual()
    story.enqueue("stood still")
    story.say("AWAKE")
    story.run("stood still", "20", "interrupted", end="")
    story.entries[-1] = story.entries[-1]._replace(clock=story.entries[-2].clock + pause / 2)
    story.say("AWAKE")
    story.entries[-1] = story.entries[-1]._replace(clock=story.entries[-3].clock + pause)
    story.run("stood still", "21")
    assert (story.broken() == set()) is excused


def _prune(story: Story, job: str) -> None:
    del story.jobs[job]
    story.attempts = [attempt for attempt in story.attempts if attempt.job != job]
    story.errors = {error for error in story.errors if error[0] != job}


@pytest.mark.parametrize("job", ["failing", "killed", "plain"])
def test_a_job_that_has_ended_may_be_pruned(job: str) -> None:
    story = usual()
    _prune(story, job)
    assert story.broken(pruned=True) == set()
    assert "an acknowledged job is final" in story.broken()


def test_a_job_that_has_not_ended_is_not_pruned_but_lost() -> None:
    story = usual()
    story.enqueue("lost")
    story.run("lost", "20", "failed", end="FAILED")
    _prune(story, "lost")
    assert "an acknowledged job is final" in story.broken(pruned=True)


def test_what_was_pruned_has_not_run_twice_without_a_cause() -> None:
    story = usual()
    story.enqueue("twice")
    story.run("twice", "20")
    story.run("twice", "21")
    _prune(story, "twice")
    assert story.broken(pruned=True) == {"a second run has a cause"}


def test_a_ledger_gives_back_what_was_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.entries() == []
    ledger.write("KILL", note="worker 1,2")
    ledger.write("START", "id", 2, 7, 10)
    with ledger.path.open("a") as file:
        file.write("12.5 1 START id 3 ")
    killed, started = ledger.entries()
    assert killed[2:] == ("KILL", "-", 0, "-", "worker 1,2")
    assert started[1:] == (started.pid, "START", "id", 2, "7", "10")
    assert killed.clock <= started.clock
    assert ledger.count("START") == 1
    with ledger.path.open("a") as file:
        file.write("8 10\n")
    assert (ledger.count("START"), ledger.count("END")) == (2, 0)


@pytest.mark.django_db
def test_accounts_are_read_from_the_database(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    job = jobs.run_on_record.enqueue(str(ledger))
    ledger.write("ENQUEUED", job.id)
    assert broken(Accounts.read(ledger)) == [f"an acknowledged job is final: job {job.id} is ready"]
