"""What a program asks for: enqueue, look, wait, cancel, requeue, replay."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections, transaction
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_jobs import (
    JobCancelled,
    JobContext,
    JobFailed,
    JobNotFound,
    JobsError,
    PayloadTooLarge,
    ResultError,
    ResultExpired,
    ResultTimeout,
    ResultTooLarge,
    SerializationError,
    WouldWaitForever,
    client,
    exponential,
)
from django_jobs.context import running
from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Job, JobError
from django_jobs.options import StoredOptions
from django_jobs.serializers import dump_result, load_args
from django_jobs.states import Status
from tests import jobs
from tests.payloads import args_of, owner_of

pytestmark = pytest.mark.django_db
outside_transactions = pytest.mark.django_db(transaction=True)

NOBODY = UUID("01890000-0000-7000-8000-000000000000")
MALFORMED = ["", "no-id", "0189", 7, None, 3.5, b"x" * 16, ["a"], "\0", "ü" * 32]


def finish(job: Job, **values: Any) -> None:
    """Write the end of a job as an engine would."""
    Job.objects.filter(pk=job.pk).update(**{"status": Status.COMPLETED, **values})


def context_of(job_id: UUID, *, slots: int, database: str = "default") -> JobContext:
    return JobContext(
        id=job_id, function="tests.jobs.add", queue="default", priority=0, attempt=1, round=1,
        max_attempts=3, worker_id="w", slots=slots, database=database,
    )  # fmt: skip


class TestEnqueue:
    def test_the_handle_equals_the_row_in_every_column(self) -> None:
        handle = jobs.send.enqueue("a@b", subject="s")
        stored = Job.objects.get()
        for field in Job._meta.concrete_fields:
            assert getattr(handle, field.attname) == getattr(stored, field.attname), field.attname
        assert handle == stored

    def test_the_handle_costs_no_query_and_counts_as_saved(self) -> None:
        handle = jobs.add.enqueue(1)
        assert not handle._state.adding
        assert handle._state.db == "default"
        with CaptureQueriesContext(connection) as queries:
            shown = [getattr(handle, field.attname) for field in Job._meta.concrete_fields]
        assert shown
        assert len(queries) == 0

    def test_who_listens_to_each_instance_hears_of_the_handle(self) -> None:
        heard: list[str] = []

        def hear(instance: Job, **details: Any) -> None:
            heard.append(instance.function)

        post_init.connect(hear, sender=Job)
        try:
            jobs.add.enqueue(1)
        finally:
            post_init.disconnect(hear, sender=Job)
        assert heard == ["tests.jobs.add"]

    def test_it_is_one_statement(self) -> None:
        jobs.add.enqueue(1)
        with CaptureQueriesContext(connection) as queries:
            jobs.add.enqueue(1)
        assert [each["sql"].count("INSERT") for each in queries] == [1]

    def test_the_id_is_a_uuid_that_sorts_by_creation(self) -> None:
        handles = [jobs.add.enqueue(n) for n in range(5)]
        assert [each.id for each in handles] == sorted(each.id for each in handles)
        assert abs(handles[0].created_at - timezone.now()) < timedelta(seconds=10)

    def test_options_are_stored_on_the_job(self) -> None:
        job = jobs.send.using(timeout=None, dont_retry_on=(KeyError,)).enqueue("a@b")
        job.refresh_from_db()
        assert (job.queue, job.priority, job.max_attempts, job.timeout) == ("mail", 10, 5, None)
        stored = StoredOptions.load(job.options)
        assert [stored.retry_delay.delay(n) for n in (1, 2, 9)] == [10, 30, 60]  # type: ignore[union-attr]
        assert (stored.dont_retry_on, stored.description) == (("KeyError",), "a letter")

    def test_a_plain_job_has_the_documented_defaults(self) -> None:
        job = jobs.add.enqueue(1, b=2)
        assert (job.queue, job.priority, job.max_attempts, job.timeout) == ("default", 0, 3, 300)
        assert (job.status, job.options, job.round, job.attempts) == ("ready", None, 1, 0)
        assert args_of(job) == ([1], {"b": 2})

    def test_default_options_of_the_settings_apply(self, settings: Any) -> None:
        settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": {"queue": "slow", "max_retries": 6, "retry_delay": 9}}
        job = jobs.add.using(queue="fast").enqueue(1)
        assert (job.queue, job.max_attempts) == ("fast", 7)
        assert StoredOptions.load(job.options).retry_delay.delay(1) == 9  # type: ignore[union-attr]

    @pytest.mark.parametrize("serializer", ["json", "cloudpickle"])
    @pytest.mark.parametrize("many", [False, True])
    def test_what_cannot_be_stored_is_named_and_leaves_no_row(
        self, settings: Any, serializer: str, many: bool
    ) -> None:
        settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle"]}
        function = jobs.send.using(serializer=serializer)
        calls: list[Any] = [("a@b",)] * many + [{"address": "a@b", "subject": threading.Lock()}]
        with pytest.raises(SerializationError, match=r"tests\.jobs\.send: the argument subject") as caught:
            function.enqueue_many(calls)
        assert Job.objects.count() == 0
        assert getattr(caught.value, "__notes__", []) == ["in call 1 (counted from 0)"] * many

    def test_pickles_are_signed_for_each_job_and_no_call_can_switch_them_on(self, settings: Any) -> None:
        first, second = jobs.apply.enqueue_many([(len, "x")] * 2)
        assert args_of(first) == args_of(second) == ([len, "x"], {})
        for job, other in ((first, second), (second, first)):
            with pytest.raises(SerializationError, match="signature"):
                load_args(job.args, owner_of(other))
        assert args_of(jobs.apply.using(serializer="json").enqueue("f")) == (["f"], {})
        with pytest.raises(SerializationError, match=r"not switched on for tests\.jobs\.add: name it in"):
            jobs.add.using(serializer="cloudpickle").enqueue(1)
        settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle"]}
        assert args_of(jobs.add.using(serializer="cloudpickle").enqueue({1})) == ([{1}], {})

    def test_the_serializer_of_the_settings_is_used_for_all(self, settings: Any) -> None:
        settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": {"serializer": "tests.serializers.making.Marshal"}}
        job = jobs.add.enqueue(b"x")
        assert job.args.startswith("$marshal$")
        assert args_of(job) == ([b"x"], {})
        assert jobs.apply.enqueue(len).args.startswith("$cloudpickle$")

    def test_a_policy_given_at_the_call_is_stored(self) -> None:
        job = jobs.send.using(retry_delay=exponential(2, cap=9)).enqueue("a@b")
        assert StoredOptions.load(job.options).retry_delay == exponential(2, cap=9)

    def test_a_parameter_may_have_any_name(self) -> None:
        names = {"self": 1, "args": 2, "function": 3, "timeout": 4, "queue": 5}
        handles = [jobs.echo.enqueue(**names), async_to_sync(partial(jobs.echo.aenqueue, **names))()]
        assert [args_of(each) for each in handles] == [([], names)] * 2
        assert jobs.echo(**names) == [[], names]

    def test_a_rolled_back_job_never_was(self) -> None:
        with transaction.atomic():
            jobs.add.enqueue(1)
            transaction.set_rollback(True)
        assert not Job.objects.exists()

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            (lambda: jobs.add.enqueue(), TypeError),
            (lambda: jobs.add.enqueue(1, c=2), TypeError),
            (lambda: jobs.echo.enqueue({1, 2}), SerializationError),
            (lambda: jobs.echo.enqueue(lock=threading.Lock()), SerializationError),
            (lambda: jobs.echo.enqueue("x" * 300_000), PayloadTooLarge),
            (lambda: jobs.add.enqueue_many([(1,), (2, 3, 4)]), TypeError),
            (lambda: jobs.echo.enqueue_many([(1,), ({1},)]), SerializationError),
            (lambda: jobs.add.enqueue_many([(1,), 5]), TypeError),
            (lambda: jobs.add.enqueue_many(["ab"]), TypeError),
        ],
    )
    def test_what_is_refused_stores_no_row(self, call: Callable[[], Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            call()
        assert not Job.objects.exists()


class TestDelay:
    def test_a_timedelta_counts_from_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = datetime(2030, 1, 1, tzinfo=UTC)
        monkeypatch.setattr(client, "now", lambda: moment)
        job = jobs.add.using(run_after=timedelta(minutes=5)).enqueue(1)
        assert (job.status, job.run_after) == ("scheduled", moment + timedelta(minutes=5))

    def test_a_datetime_in_the_future_is_scheduled_for_it(self) -> None:
        due = timezone.now() + timedelta(days=1)
        job = jobs.add.using(run_after=due).enqueue(1)
        job.refresh_from_db()
        assert (job.status, job.run_after) == ("scheduled", due)

    @pytest.mark.parametrize("past", [timedelta(0), timedelta(days=-1), datetime(1970, 1, 1, tzinfo=UTC)])
    def test_a_past_one_is_ready_and_jumps_no_queue(self, past: Any) -> None:
        before = jobs.add.enqueue(1)
        job = jobs.add.using(run_after=past).enqueue(1)
        assert job.status == "ready"
        assert job.run_after >= before.run_after

    @pytest.mark.parametrize("beyond", [timedelta.max, datetime.max.replace(tzinfo=UTC) - timezone.now()])
    def test_one_beyond_what_every_time_zone_can_show_is_refused(self, beyond: timedelta) -> None:
        with pytest.raises(ValueError, match="run_after is out of range"):
            jobs.add.using(run_after=beyond).enqueue(1)


class TestEnqueueMany:
    def test_a_tuple_is_args_and_a_dict_is_kwargs(self) -> None:
        made = jobs.add.enqueue_many([(1,), (2, 3), {"a": 4, "b": 5}])
        stored = [args_of(each) for each in Job.objects.order_by("id")]
        assert stored == [([1], {}), ([2, 3], {}), ([], {"a": 4, "b": 5})]
        assert [each.pk for each in made] == list(Job.objects.order_by("id").values_list("pk", flat=True))

    def test_the_ids_sort_as_the_calls_and_after_those_before(self) -> None:
        ids = [jobs.add.enqueue(0).id, *(each.id for each in jobs.add.enqueue_many([(1,)] * 50))]
        ids.append(jobs.add.enqueue(2).id)
        assert ids == sorted(set(ids))

    def test_a_generator_will_do(self) -> None:
        assert len(jobs.add.enqueue_many((n,) for n in range(3))) == 3

    def test_no_calls_are_no_statement(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            assert jobs.add.enqueue_many([]) == []
        assert len(queries) == 0

    def test_a_refused_call_is_named_by_its_index(self) -> None:
        with pytest.raises(TypeError) as caught:
            jobs.add.enqueue_many([(1,), (2,), (3, 4, 5)])
        assert caught.value.__notes__ == ["in call 2 (counted from 0)"]


class TestIds:
    @pytest.mark.parametrize(
        "spelling", [str, lambda key: key, lambda key: key.hex, lambda key: str(key).upper()]
    )
    def test_a_uuid_and_its_string_are_the_same_id(self, spelling: Callable[[UUID], Any]) -> None:
        job = jobs.add.enqueue(1)
        assert Job.objects.find(spelling(job.id)) == job

    @pytest.mark.parametrize("job_id", [NOBODY, str(NOBODY), *MALFORMED])
    def test_an_unknown_or_malformed_id_is_job_not_found(self, job_id: object) -> None:
        for ask in (
            Job.objects.find,
            lambda each: client.cancel([each]),
            lambda each: client.requeue([each]),
            lambda each: client.replay([each]),
        ):
            with pytest.raises(JobNotFound, match="no job has the id") as caught:
                ask(job_id)
            assert isinstance(caught.value, KeyError)
            assert isinstance(caught.value, JobsError)

    def test_one_unknown_id_among_many_changes_nothing(self) -> None:
        job = jobs.add.enqueue(1)
        with pytest.raises(JobNotFound):
            client.cancel([job.id, uuid4()])
        assert Job.objects.find(job.id).status == "ready"

    def test_a_handle_is_up_to_date_after_its_own_change(self) -> None:
        job = jobs.add.enqueue(1)
        assert job.cancel()
        assert job.status == "cancelled"
        assert job.requeue()
        assert (job.status, job.round) == ("ready", 2)

    @pytest.mark.parametrize("change", [client.cancel, client.requeue, client.replay])
    def test_one_id_where_a_list_is_needed_is_refused(self, change: Callable[[Any], int]) -> None:
        job = jobs.add.enqueue(1)
        for one in (job.id, str(job.id)):
            with pytest.raises(TypeError, match="a list of ids is needed"):
                change(one)


class TestCancelAndRequeue:
    def test_a_pending_job_is_cancelled_and_requeued_by_its_handle(self) -> None:
        job = jobs.add.enqueue(1)
        assert job.cancel() is True
        assert job.cancel() is False
        assert Job.objects.find(job.id).status == "cancelled"
        assert job.requeue() is True
        assert job.requeue() is False
        again = Job.objects.find(job.id)
        assert (again.status, again.round) == ("ready", 2)

    def test_a_running_job_is_asked_and_by_force_once_more(self) -> None:
        job = jobs.add.enqueue(1)
        engine_for("default").claim(["default"], 1, worker_id="w", token=7, lease=client.now())
        assert job.cancel() is True
        assert (job.status, job.cancel_requested) == ("running", 1)
        assert job.cancel() is False
        assert job.cancel(force=True) is True
        assert job.cancel_requested == 2

    def test_pending_and_running_jobs_are_counted_apart(self) -> None:
        ids = [job.id for job in jobs.add.enqueue_many([(1,), (2,), (3,)])]
        engine_for("default").claim(["default"], 1, worker_id="w", token=7, lease=client.now())
        assert client.cancel(ids, force=True) == (2, 1)
        assert client.cancel(ids, force=True) == (0, 0)

    def test_only_eligible_jobs_are_counted(self) -> None:
        first, second = jobs.add.enqueue_many([(1,), (2,)])
        finish(second)
        assert client.cancel([first.id, str(first.id), second.id]) == (1, 0)
        assert client.requeue([first.id, second.id]) == 2


class TestRequeue:
    @pytest.mark.parametrize("status", ["dead", "cancelled", "completed"])
    def test_a_final_job_begins_a_new_round_with_its_history_kept(self, status: str) -> None:
        job = jobs.send.enqueue("a@b")
        finish(job, status=status, attempts=5, interruptions=2, error="ValueError: x", result_data="7")
        JobError.objects.create(
            job=job, token=1, round=1, number=5, kind="exception", failed_at=timezone.now(),
            exception_type="ValueError", message="x", worker_id="w",
        )  # fmt: skip
        Attempt.objects.create(
            job=job, token=1, round=1, number=5, outcome="failed", worker_id="w", finished_at=timezone.now()
        )
        assert job.requeue() is True
        assert (job.status, job.round, job.attempts, job.interruptions) == ("ready", 2, 0, 0)
        assert (job.error, job.result_data) == (None, None)
        assert (job.errors.count(), job.attempt_set.count()) == (1, 1)
        assert (job.queue, job.priority, job.max_attempts, job.timeout) == ("mail", 10, 5, 30)

    def test_the_options_stay(self) -> None:
        job = jobs.add.using(result_ttl=5, description="d").enqueue(1)
        options = job.options
        finish(job)
        assert job.requeue() is True
        assert job.options == options
        assert StoredOptions.load(job.options).result_ttl == 5

    @pytest.mark.parametrize("status", ["waiting", "scheduled", "ready", "running"])
    def test_any_other_job_is_left_as_it_is(self, status: str) -> None:
        job = jobs.add.enqueue(1)
        finish(job, status=status, attempts=1, error="ValueError: x")
        before = Job.objects.values().get()
        assert job.requeue() is False
        assert Job.objects.values().get() == before


class TestReplay:
    def dead_letter(self) -> Job:
        """Return one that carries every option there is."""
        job = jobs.send.using(
            queue="slow", priority=-7, max_retries=8, timeout=None, retry_delay=exponential(3, jitter=True),
            retry_on=(OSError,), dont_retry_on=(KeyError,), description="a replayed letter", result_ttl=5,
        ).enqueue("a@b", subject="ü")  # fmt: skip
        finish(job, status=Status.DEAD, attempts=9, error="ValueError: x", reason="r", round=3)
        return job

    def test_the_new_job_keeps_arguments_and_every_option(self) -> None:
        job = self.dead_letter()
        new = job.replay()
        assert new is not None
        fresh = {
            "id",
            "run_after",
            "status",
            "attempts",
            "error",
            "reason",
            "round",
            "replayed_as",
            "replay_of",
        }
        before, after = (Job.objects.values().get(pk=each.pk) for each in (job, new))
        assert {name: before[name] for name in before.keys() - fresh} == {
            name: after[name] for name in after.keys() - fresh
        }
        assert (new.status, new.attempts, new.round, new.error, new.reason) == ("ready", 0, 1, None, "")
        assert new.options == job.options
        assert new.run_after > job.run_after  # or it would come before all that was due before it
        assert StoredOptions.load(new.options).result_ttl == 5

    def test_options_of_a_newer_version_are_kept_as_they_are_written(self) -> None:
        job = self.dead_letter()
        finish(job, status=Status.DEAD, options='{"colour":   "red"}')
        new = job.replay()
        assert new is not None
        assert new.options == '{"colour":   "red"}'

    def test_both_handles_equal_their_rows_and_name_each_other(self) -> None:
        job = self.dead_letter()
        new = job.replay()
        assert new is not None
        assert (job.replayed_as, new.replay_of, job.status) == (new.id, job.id, "dead")
        for handle in (job, new):
            stored = Job.objects.get(pk=handle.pk)
            for field in Job._meta.concrete_fields:
                assert getattr(handle, field.attname) == getattr(stored, field.attname), field.attname

    def test_signed_arguments_are_signed_anew(self) -> None:
        letter, other = jobs.apply.enqueue(len, "x"), jobs.apply.enqueue(len, "x")
        for job in (letter, other):
            finish(job, status=Status.DEAD)
        new = letter.replay()
        assert new is not None
        new.refresh_from_db()
        assert args_of(new) == args_of(letter) == ([len, "x"], {})
        assert new.args != letter.args
        Job.objects.filter(pk=other.pk).update(args=letter.args)
        with pytest.raises(SerializationError, match=f"job {other.pk} cannot be replayed: the signature"):
            other.replay()
        other.refresh_from_db()
        assert (other.replayed_as, Job.objects.count()) == (None, 3)

    def test_a_requeued_job_keeps_its_signature(self) -> None:
        job = jobs.apply.enqueue(len, "x")
        finish(job, status=Status.DEAD)
        assert job.requeue() is True
        assert args_of(job) == ([len, "x"], {})

    def test_a_second_replay_is_none_and_makes_nothing(self) -> None:
        job = self.dead_letter()
        stale = Job.objects.get(pk=job.pk)
        assert job.replay() is not None
        before = list(Job.objects.order_by("id").values())
        assert job.replay() is None
        assert stale.replay() is None
        assert list(Job.objects.order_by("id").values()) == before

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.DEAD}))
    def test_a_job_that_is_not_dead_is_none_and_makes_nothing(self, status: Status) -> None:
        job = self.dead_letter()
        finish(job, status=status)
        before = list(Job.objects.values())
        assert job.replay() is None
        assert list(Job.objects.values()) == before

    def test_of_many_the_new_jobs_come_in_the_order_asked_for(self) -> None:
        letters = [self.dead_letter() for _ in range(3)]
        other = jobs.add.enqueue(1)
        asked = [letters[2], other, letters[0], letters[1], letters[2]]
        made = client.replay([each.id for each in asked])
        assert [each.replay_of for each in made] == [letters[2].id, letters[0].id, letters[1].id]

    def test_one_unknown_id_among_many_makes_nothing(self) -> None:
        job = self.dead_letter()
        with pytest.raises(JobNotFound):
            client.replay([job.id, uuid4()])
        assert [each.replayed_as for each in Job.objects.all()] == [None]

    def test_a_rolled_back_replay_never_was(self) -> None:
        job = self.dead_letter()
        with transaction.atomic():
            assert job.replay() is not None
            transaction.set_rollback(True)
        assert job.replay() is not None
        assert Job.objects.count() == 2


@outside_transactions
class TestReplaysAtOnce:
    def test_two_replays_at_once_give_one_new_job(self) -> None:
        job = TestReplay().dead_letter()
        together, made = threading.Barrier(2), []

        def replay() -> None:
            try:
                mine = Job.objects.get(pk=job.pk)
                together.wait()
                made.append(mine.replay())
            finally:
                connections.close_all()

        threads = [threading.Thread(target=replay) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (new,) = [each for each in made if each is not None]
        assert len(made) == 2
        assert Job.objects.get(pk=job.pk).replayed_as == new.id
        assert [each.replay_of for each in Job.objects.ready()] == [job.id]


class TestResult:
    def test_a_completed_job_gives_its_value(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job, result_data=dump_result((3, datetime(2030, 1, 1, tzinfo=UTC)), owner_of(job)))
        assert job.result(timeout=0) == (3, datetime(2030, 1, 1, tzinfo=UTC))
        assert job.status == "completed"

    def test_no_value_is_none(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job)
        assert job.result() is None

    def test_a_dead_job_raises_its_last_error(self) -> None:
        job = jobs.fail.enqueue()
        finish(job, status=Status.DEAD)
        for number in (1, 2):
            JobError.objects.create(
                job=job, token=number, round=1, number=number, kind="exception", failed_at=timezone.now(),
                exception_type="ValueError", message=f"broken {number}", traceback="File x", worker_id="w",
            )  # fmt: skip
        with pytest.raises(JobFailed, match=r"is dead: ValueError: broken 2") as caught:
            job.result()
        assert (caught.value.exception_type, caught.value.traceback) == ("ValueError", "File x")
        assert [each.message for each in job.errors] == ["broken 1", "broken 2"]

    def test_a_dead_job_without_an_error_row_still_fails(self) -> None:
        job = jobs.fail.enqueue()
        finish(job, status=Status.DEAD, error="ValueError: gone")
        with pytest.raises(JobFailed, match="gone"):
            job.result()

    def test_a_cancelled_job_says_so(self) -> None:
        job = jobs.add.enqueue(1)
        job.cancel()
        with pytest.raises(JobCancelled, match="was cancelled"):
            job.result()

    def test_a_signed_result_is_read_only_where_it_was_signed_for(self) -> None:
        job, other = jobs.apply.enqueue(len, "x"), jobs.apply.enqueue(len, "x")
        finish(job, result_data=dump_result({1}, owner_of(job), like=job.args))
        finish(other, result_data=Job.objects.get(pk=job.pk).result_data)
        assert job.result(timeout=0) == {1}
        with pytest.raises(SerializationError, match="signature of the stored result does not match"):
            other.result(timeout=0)

    def test_a_result_over_the_limit_says_so(self, settings: Any) -> None:
        settings.DJANGO_JOBS = {"MAX_RESULT": 10}
        job = jobs.add.enqueue(1)
        finish(job, result_data=dump_result("x" * 100, owner_of(job)))
        with pytest.raises(ResultTooLarge, match="102 bytes"):
            job.result()

    def test_a_result_is_given_until_it_expires(self) -> None:
        job = jobs.add.using(result_ttl=60).enqueue(1)
        finish(job, result_data="7", run_after=timezone.now() - timedelta(seconds=30))
        assert job.result() == 7
        assert job.result_expires_at == job.run_after + timedelta(seconds=60)

    @pytest.mark.parametrize("data", ["7", None])
    def test_one_that_has_expired_says_when_whether_it_was_removed_or_not(self, data: str | None) -> None:
        job = jobs.add.using(result_ttl=timedelta(minutes=1)).enqueue(1)
        finish(job, result_data=data, run_after=datetime(2026, 3, 1, 12, tzinfo=UTC))
        with pytest.raises(
            ResultExpired, match="expired at 2026-03-01 12:01:00 UTC: its result_ttl"
        ) as caught:
            job.result()
        assert isinstance(caught.value, ResultError)
        assert caught.value.expired_at == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
        assert copy.copy(caught.value).args == caught.value.args

    def test_the_database_s_clock_says_what_has_expired(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = jobs.add.using(result_ttl=60).enqueue(1)
        finish(job, result_data="7")
        monkeypatch.setattr(client.Engine, "read_clock", lambda engine: timezone.now() + timedelta(minutes=2))
        with pytest.raises(ResultExpired):
            job.result()

    @pytest.mark.parametrize(("status", "error"), [("dead", JobFailed), ("cancelled", JobCancelled)])
    def test_only_a_completed_job_s_result_expires(self, status: str, error: type[Exception]) -> None:
        job = jobs.add.using(result_ttl=0.001).enqueue(1)
        finish(job, status=status, run_after=datetime(2026, 3, 1, tzinfo=UTC))
        with pytest.raises(error):
            job.result()
        assert job.result_expires_at is None

    def test_corrupt_options_let_a_result_stay(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job, result_data="7", options='{"result_ttl": "soon"}')
        assert job.result() == 7

    def test_a_corrupt_result_is_a_serialization_error(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job, result_data="{broken")
        with pytest.raises(SerializationError, match="cannot be read"):
            job.result()

    def test_a_job_that_is_gone_is_not_found(self) -> None:
        job = jobs.add.enqueue(1)
        Job.objects.all().delete()
        with pytest.raises(JobNotFound):
            job.result()

    @pytest.mark.parametrize("timeout", [-1, float("nan"), "5", True])
    def test_a_bad_timeout_is_refused(self, timeout: Any) -> None:
        with pytest.raises(ValueError, match="timeout must be seconds"):
            jobs.add.enqueue(1).result(timeout=timeout)

    def test_inside_a_transaction_waiting_is_refused_at_once(self) -> None:
        with pytest.raises(WouldWaitForever, match="inside a transaction"):
            jobs.add.enqueue(1).result()

    def test_a_handle_read_from_a_replica_waits_where_jobs_are_written(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job, result_data="7")
        job._state.db = "replica"
        assert job.result() == 7

    def test_inside_a_transaction_a_final_job_gives_its_value(self) -> None:
        job = jobs.add.enqueue(1)
        finish(job, result_data="7")
        with transaction.atomic():
            assert job.result() == 7


@outside_transactions
class TestWaiting:
    def test_the_time_up_is_a_timeout_error_that_says_the_status(self) -> None:
        with pytest.raises(ResultTimeout, match=r"is still ready after 0\.05 s") as caught:
            jobs.add.enqueue(1).result(timeout=0.05)
        assert isinstance(caught.value, TimeoutError)

    @pytest.mark.parametrize("timeout", [10**400, float("inf")])
    def test_a_timeout_may_be_as_long_as_one_likes(
        self, timeout: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = jobs.add.enqueue(1)
        monkeypatch.setattr(time, "sleep", lambda seconds: finish(job, result_data="5"))
        assert job.result(timeout=timeout) == 5

    def test_pauses_grow_to_a_tenth_of_the_time_waited_and_one_second(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job, clock, pauses = jobs.add.enqueue(1), [1000.0], []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            clock[0] += seconds
            if clock[0] > 1060:
                finish(job, result_data="5")

        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(time, "sleep", sleep)
        assert job.result() == 5
        assert pauses[0] == 0.02
        assert pauses == sorted(pauses)
        assert pauses[-1] == 1.0
        assert 50 < len(pauses) < 150

    def test_a_coroutine_waits_while_others_go_on(self) -> None:
        job = jobs.add.enqueue(1)

        async def wait_and_finish() -> Any:
            waiting = asyncio.ensure_future(job.aresult(timeout=30))
            other = await jobs.add.aenqueue(2)
            await Job.objects.filter(pk=job.pk).aupdate(status=Status.COMPLETED, result_data="5")
            found = await waiting, other
            # The thread that served this loop has a connection of its own, which nobody else would close.
            await sync_to_async(connections.close_all)()
            return found

        value, other = asyncio.run(wait_and_finish())
        assert value == 5
        assert Job.objects.find(other.id).status == "ready"

    def test_in_the_only_slot_of_a_worker_waiting_is_refused(self) -> None:
        job = jobs.add.enqueue(1)
        with running(context_of(NOBODY, slots=1)), pytest.raises(WouldWaitForever, match="only slot"):
            job.result()

    def test_no_job_waits_for_itself(self) -> None:
        job = jobs.add.enqueue(1)
        with running(context_of(job.id, slots=4)), pytest.raises(WouldWaitForever, match="it is the job"):
            job.result()

    @pytest.mark.parametrize("context", [{"slots": 2}, {"slots": 1, "database": "elsewhere"}])
    def test_in_one_of_more_slots_or_for_another_database_it_waits(self, context: Any) -> None:
        job = jobs.add.enqueue(1)
        with running(context_of(NOBODY, **context)), pytest.raises(ResultTimeout):
            job.result(timeout=0)

    def test_one_that_is_requeued_as_it_is_read_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = jobs.add.enqueue(1)
        job.cancel()
        read = Job.refresh_from_db

        def requeue_then_read(self: Job, **options: Any) -> None:
            client.requeue([self.pk])
            read(self, **options)

        monkeypatch.setattr(Job, "refresh_from_db", requeue_then_read)
        with pytest.raises(ResultTimeout, match="still ready"):
            job.result(timeout=0)
