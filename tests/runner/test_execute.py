"""Running is pure: whatever the code does, an outcome or a refusal comes out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone, translation

from django_jobs import get_current_job, signals
from django_jobs.functions import JobFunction
from django_jobs.masking import MASK
from django_jobs.outcomes import Outcome
from django_jobs.runner.execute import UNKNOWN_DELAY_LEAST, execute
from django_jobs.serializers import Owner, dump_args, load_result
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.uuid7 import uuid7
from django_jobs.wire.messages import Refusal, report_from_bytes, report_to_bytes
from tests import jobs as shared
from tests import jobs_that_misbehave as misbehaving
from tests.runner import jobs
from tests.runner.making import INTERRUPTS, PLACE, assignment, error_of, outcome_of, stoppable


def _result(outcome: Any) -> Any:
    return load_result(outcome.result_data, Owner(outcome.job_id, "any"))


def test_a_run_that_returns_is_completed_with_its_result() -> None:
    outcome = outcome_of(shared.add, 1, 2)
    assert (outcome.outcome, _result(outcome), outcome.error) == (AttemptOutcome.COMPLETED, 3, None)
    assert 0 < outcome.started_ns <= outcome.finished_ns


def test_a_result_of_none_is_stored_as_nothing() -> None:
    assert outcome_of(misbehaving.print_words, "x").result_data is None


def test_a_coroutine_is_awaited() -> None:
    assert _result(outcome_of(shared.add_later, 1, 2)) == 3
    assert _result(outcome_of(jobs.tell_later)) is True


def test_a_job_knows_itself_while_it_runs_and_only_then() -> None:
    given = assignment(jobs.tell, number=2)
    known = _result(execute(given, PLACE, INTERRUPTS))
    assert known == [given.job_id, 2, 2, 3, "w", 2, "default"]
    assert get_current_job() is None


def test_language_and_time_zone_do_not_reach_the_next_job() -> None:
    before = (translation.get_language(), timezone.get_current_timezone_name())
    outcome_of(jobs.change_the_world)
    assert (translation.get_language(), timezone.get_current_timezone_name()) == before


def test_an_exception_is_a_failure_that_is_retried() -> None:
    outcome = outcome_of(shared.fail, "no good")
    assert (outcome.outcome, outcome.retry_in) == (AttemptOutcome.FAILED, 0)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.summary) == (ErrorKind.EXCEPTION, "ValueError: no good")


def test_the_last_attempt_is_not_retried() -> None:
    assert outcome_of(shared.fail, number=3).retry_in is None


def test_the_policy_on_the_row_decides_the_delay() -> None:
    options = shared.send.options.stored()
    runs = [
        outcome_of(shared.fail, options=options, number=number, max_attempts=9) for number in (1, 2, 3, 4)
    ]
    delays = [outcome.retry_in for outcome in runs]
    assert delays == [10, 30, 60, 60]


@pytest.mark.parametrize("how", ["exit", "interrupt", "generator"])
def test_what_is_no_exception_is_a_failure_of_the_job(how: str) -> None:
    assert error_of(misbehaving.leave, how).message == "leaving"


def test_a_result_that_cannot_be_stored_fails_the_run() -> None:
    error = error_of(misbehaving.return_lock)
    assert error.kind is ErrorKind.SERIALIZATION
    assert "lock" in error.message


@pytest.mark.parametrize(
    "args",
    ["", "no JSON", "[]", '{"args": 3, "kwargs": {}}', '{"args": [{"$datetime": "never"}], "kwargs": {}}'],
)
def test_arguments_that_cannot_be_read_fail_the_run(args: str) -> None:
    assert error_of(shared.echo, args=args).kind is ErrorKind.SERIALIZATION


@pytest.mark.parametrize("options", ["", "no JSON", "[]", '{"retry_on": 3}'])
def test_options_that_cannot_be_read_fail_the_run_which_is_retried_by_the_fallback(options: str) -> None:
    outcome = outcome_of(shared.echo, options=options)
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.SERIALIZATION
    assert outcome.retry_in
    assert outcome_of(shared.echo, options=options, number=3).retry_in is None


def test_a_soft_limit_that_has_passed_is_a_failure_of_its_own_kind_that_is_retried() -> None:
    outcome = outcome_of(jobs.check_when_late, options=jobs.check_when_late.options.stored())
    assert outcome.error is not None
    assert (outcome.outcome, outcome.error.kind) == (AttemptOutcome.FAILED, ErrorKind.SOFT_TIMEOUT)
    assert outcome.retry_in == 0


@pytest.mark.parametrize("function", [jobs.order_to_stop, jobs.return_what_orders_to_stop])
def test_a_run_is_stopped_wherever_its_own_code_runs(function: Any) -> None:
    with stoppable() as interrupts:
        outcome = execute(assignment(function), PLACE, interrupts)
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.exception_type == "django_jobs.exceptions.HardTimeout"
    assert "_order" in outcome.error.traceback
    assert outcome.retry_in


def test_no_callable_and_no_message_of_a_failed_run_is_stopped() -> None:
    with stoppable() as interrupts:
        outcome = execute(assignment(jobs.fail_and_order_to_stop), PLACE, interrupts)
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.exception_type == "tests.runner.jobs.OrdersToStop"
    assert interrupts.told


def test_arguments_that_do_not_fit_fail_the_run() -> None:
    assert error_of(shared.add, 1, 2, 3).exception_type == "TypeError"


def test_a_callable_may_refuse_a_retry() -> None:
    options = jobs.fail_for_good.options.stored()
    assert outcome_of(jobs.fail_for_good, options=options).retry_in is None


def test_a_callable_that_fails_is_replaced_by_the_fallback(caplog: pytest.LogCaptureFixture) -> None:
    options = jobs.fail_with_hostile_policy.options.stored()
    assert outcome_of(jobs.fail_with_hostile_policy, options=options).retry_in
    assert "retry_delay of tests.runner.jobs.fail_with_hostile_policy failed" in caplog.text


def test_a_job_of_an_unknown_function_is_refused_with_a_delay() -> None:
    given = assignment("tests.jobs.adt")
    refusal = execute(given, PLACE, INTERRUPTS)
    assert isinstance(refusal, Refusal)
    assert (refusal.job_id, refusal.token, refusal.delay) == (given.job_id, 7, UNKNOWN_DELAY_LEAST)
    assert refusal.reason.startswith("unknown function")
    assert "tests.jobs.add" in refusal.reason
    assert len(refusal.reason) <= 200


@override_settings(DJANGO_JOBS={"UNKNOWN_FUNCTION_TTL": 0})
def test_a_job_whose_function_stays_unknown_dies_of_it() -> None:
    outcome = outcome_of("tests.jobs.adt")
    assert (outcome.outcome, outcome.retry_in) == (AttemptOutcome.FAILED, None)
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.UNKNOWN_FUNCTION


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (misbehaving.raise_dirty_text, ()),
        (misbehaving.raise_unspeakable, ()),
        (misbehaving.recurse, ()),
        (misbehaving.return_text, (100_000,)),
        (shared.echo, ("\0 é 🛫",)),
    ],
)
def test_every_outcome_can_travel(function: Any, args: tuple[Any, ...]) -> None:
    outcome = outcome_of(function, *args)
    assert report_from_bytes(report_to_bytes(outcome)) == outcome


def _outcome(function: JobFunction[Any, Any]) -> Outcome:
    with stoppable() as interrupts:
        outcome = execute(assignment(function), PLACE, interrupts)
    assert isinstance(outcome, Outcome)
    return outcome


@pytest.mark.parametrize("function", [jobs.be_asked_and_check, jobs.be_asked_and_check_in_a_coroutine])
def test_a_run_that_hears_of_a_wish_to_cancel_it_is_cancelled_and_not_run_again(
    function: JobFunction[Any, Any],
) -> None:
    outcome = _outcome(function)
    assert (outcome.outcome, outcome.error, outcome.retry_in) == (AttemptOutcome.CANCELLED, None, None)
    assert outcome.final


def test_a_run_that_does_not_listen_completes() -> None:
    outcome = _outcome(jobs.be_asked_and_go_on)
    assert (outcome.outcome, outcome.result_data) == (AttemptOutcome.COMPLETED, '"done"')


def test_a_run_that_fails_for_another_reason_has_failed() -> None:
    outcome = _outcome(jobs.be_asked_and_fail)
    assert outcome.outcome is AttemptOutcome.FAILED
    assert outcome.error is not None
    assert outcome.error.message == "of its own"


def test_a_job_that_nobody_wants_cancelled_cannot_cancel_itself() -> None:
    outcome = _outcome(jobs.cancel_itself)
    assert outcome.outcome is AttemptOutcome.FAILED
    assert outcome.error is not None
    assert outcome.error.exception_type == "django_jobs.exceptions.CancelRequested"
    assert outcome.retry_in == 0


TOKEN = 'tok/en+s3cr3t"0123456789'
HOWS = ["as it is", "in a repr", "in JSON", "in a URL", "cut", "at the end of a long text"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("known_by", ["the row", "the function"])
def test_no_error_shows_a_sensitive_argument(how: str, known_by: str) -> None:
    stored = jobs.tell_a_secret.options.stored() if known_by == "the row" else None
    error = error_of(jobs.tell_a_secret, how, TOKEN, options=stored)
    for text in (error.message, error.traceback, error.summary):
        assert "s3cr3t" not in text
    assert MASK in error.message
    assert f"while trying {MASK}" in error.traceback
    assert error.exception_type == "ValueError"
    assert "raise ValueError(_TELLTALES" in error.traceback


def test_no_error_shows_what_stands_in_a_sensitive_argument() -> None:
    key = "-----BEGIN-----\nabcd1234efgh\nijkl5678mnop\n-----END-----"
    error = error_of(jobs.tell_a_secret_within, {"keys": [key], "pin": 987654})
    assert error.traceback.count(MASK) >= 5
    for part in ("abcd1234efgh", "ijkl5678mnop", "987654"):
        assert part not in error.traceback


def test_a_sensitive_result_that_cannot_be_stored_is_not_shown_either() -> None:
    function, owner = jobs.return_a_secret, Owner(uuid7(), jobs.return_a_secret.name)
    given = ("ada lovelace", "DE89 3704 0044")
    args = dump_args(function.signature, owner, given, {}, serializer="cloudpickle")
    error = error_of(function, job_id=owner.id, args=args)
    assert error.kind == ErrorKind.SERIALIZATION
    assert "the account" in error.message
    for text in (error.message, error.traceback):
        assert MASK in text
        assert "3704" not in text
        assert "lovelace" not in text


def test_an_argument_that_cannot_be_loaded_is_not_shown_either() -> None:
    args = '{"args":[{"$model":["auth.group","s3cr3t-key","default"]}],"kwargs":{}}'
    error = error_of(jobs.load_a_secret, args=args)
    assert (error.kind, error.message) == (
        ErrorKind.SERIALIZATION,
        f"{MASK} with the key '{MASK}' does not exist any more",
    )
    assert "s3cr3t" not in error.traceback
    assert error_of(jobs.load_a_secret, args="no JSON").kind == ErrorKind.SERIALIZATION


def test_who_listens_to_the_start_hears_of_it_before_the_job_does() -> None:
    heard: list[Any] = []

    def hear(sender: Any, job: Any, **_: Any) -> None:
        heard.append((sender, job.id, job.attempt, get_current_job()))

    signals.job_started.connect(hear)
    try:
        given = assignment(jobs.tell, number=2)
        execute(given, PLACE, INTERRUPTS)
        execute(assignment("gone.function"), PLACE, INTERRUPTS)
    finally:
        signals.job_started.disconnect(hear)
    assert heard == [(jobs.tell, given.job_id, 2, None)]


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_receiver_of_the_start_raises_the_job_runs(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: Any) -> None:
        raise error

    signals.job_started.connect(fail)
    try:
        outcome = outcome_of(shared.add, 1, 2)
    finally:
        signals.job_started.disconnect(fail)
    assert outcome.outcome is AttemptOutcome.COMPLETED
    (record,) = [each for each in caplog.records if each.name == "django_jobs"]
    assert record.exc_info is not None
    assert record.exc_info[1] is error
