from __future__ import annotations

import threading
from itertools import chain

import pytest
from django.db import IntegrityError, connections

from django_jobs.engines.rows import NewJob, Replay
from django_jobs.models import Attempt, Job, JobError
from django_jobs.states import Status
from tests.engines.conformance.making import after, claim, columns, done, enqueue, failed, new, row, running


def dead(engine, **values):
    """Return a dead letter with its history."""
    job = running(engine, max_attempts=1, **values)
    engine.ack([failed(job)])
    return job


def again(letter, **values) -> Replay:
    return Replay(letter.id, new(run_after=after(10), **values))


@pytest.mark.django_db
class TestReplay:
    def test_a_dead_letter_stays_and_leads_to_a_new_job(self, engine):
        letter = dead(engine)
        before = row(letter)
        replay = again(letter, queue="mail", priority=3, options='{"x": 1}', max_attempts=9, timeout=None)
        assert engine.replay([replay]) == [letter.id]
        assert row(letter) == {**before, "replayed_as": replay.job.id}
        made = row(replay.job)
        assert {name: made[name] for name in NewJob._fields} == replay.job._asdict()
        assert (made["replay_of"], made["replayed_as"]) == (letter.id, None)
        assert (made["round"], made["attempts"], made["error"]) == (1, 0, None)
        assert (Attempt.objects.count(), JobError.objects.count()) == (1, 1)

    def test_the_new_job_runs(self, engine):
        letter = dead(engine)
        engine.replay([again(letter)])
        (claimed,) = claim(engine)
        assert engine.ack([done(claimed, result="1")]) == []
        assert Job.objects.completed().get().replay_of == letter.id

    def test_a_letter_is_replayed_once(self, engine):
        letter = dead(engine)
        assert engine.replay([again(letter)]) == [letter.id]
        before = row(letter)
        assert engine.replay([again(letter)]) == []
        assert engine.replay([again(letter), again(letter)]) == []
        assert row(letter) == before
        assert Job.objects.count() == 2

    def test_the_same_letter_twice_in_one_list_is_replayed_once(self, engine):
        letter = dead(engine)
        assert engine.replay([again(letter), again(letter)]) == [letter.id]
        assert Job.objects.ready().count() == 1

    def test_a_letter_that_was_requeued_and_died_again_stays_replayed(self, engine):
        letter = dead(engine)
        engine.replay([again(letter, queue="other")])
        engine.requeue([letter.id], now=after(20))
        (claimed,) = claim(engine, token=2)
        engine.ack([failed(claimed)])
        assert columns(letter, "status") == (Status.DEAD,)
        assert engine.replay([again(letter)]) == []

    def test_the_eligible_are_replayed_and_told(self, engine):
        letters = [dead(engine, queue=queue) for queue in "ab"]
        (other,) = enqueue(engine)
        replays = [again(each) for each in [*letters, other]]
        assert engine.replay(replays) == sorted(each.id for each in letters)
        assert not Job.objects.filter(replay_of=other.id).exists()

    def test_a_new_job_that_cannot_be_stored_leaves_every_letter_as_it_was(self, engine):
        letters = [dead(engine, queue=queue) for queue in "ab"]
        before = [row(each) for each in letters]
        taken = again(letters[1], id=letters[0].id)
        with pytest.raises(IntegrityError), engine.transaction():
            engine.replay([again(letters[0]), taken])
        assert [row(each) for each in letters] == before
        assert Job.objects.count() == 2

    def test_nothing_to_replay_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.replay([]) == []


@pytest.mark.django_db(transaction=True)
class TestReplaysAtOnce:
    def test_four_at_once_make_one_new_job_of_each_letter(self, engine):
        letters = [dead(engine, queue=f"q{number}") for number in range(20)]
        replayed: list[list] = [[] for _ in range(4)]
        together = threading.Barrier(4)

        def work(mine: list) -> None:
            try:
                together.wait()
                mine += engine.replay([again(each) for each in letters])
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(mine,)) for mine in replayed]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(chain.from_iterable(replayed)) == sorted(each.id for each in letters)
        links = dict(Job.objects.exclude(replay_of=None).values_list("replay_of", "pk"))
        assert links == dict(Job.objects.exclude(replayed_as=None).values_list("pk", "replayed_as"))
        assert (Job.objects.ready().count(), len(links)) == (20, 20)
