"""After an attempt that did not complete, the row and the exception decide."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from django_jobs import JobContext, PermanentError, RetryJob, TransientError, fixed
from django_jobs.options import StoredOptions
from django_jobs.policies import CEILING
from django_jobs.retries import FALLBACK, after_exception, without_exception
from django_jobs.uuid7 import uuid7

JOB = JobContext(
    id=uuid7(), function="tests.jobs.add", queue="default", priority=0, attempt=1, round=1,
    max_attempts=3, worker_id="w", slots=2, database="default",
)  # fmt: skip
FIVE = StoredOptions(retry_delay=fixed(5))
CALLABLE = StoredOptions(retry_delay=None)


class Moved(TransientError):
    pass


def after(
    exception: BaseException, options: StoredOptions = FIVE, *, policy: Any = None, number: int = 1
) -> float | None:
    return after_exception(exception, options=options, policy=policy, number=number, max_attempts=3, job=JOB)


def test_any_exception_is_retried_until_the_last_attempt() -> None:
    assert [after(ValueError(), number=number) for number in (1, 2, 3)] == [5, 5, None]


def test_one_that_does_not_fit_retry_on_is_not_retried() -> None:
    options = StoredOptions(retry_on=("ConnectionError",))
    assert after(ValueError(), options) is None


def test_a_subclass_fits_the_name_of_its_base() -> None:
    options = StoredOptions(retry_on=("OSError",))
    assert after(ConnectionResetError(), options) == 0


@pytest.mark.parametrize("name", ["ValueError", "builtins.ValueError", "Exception"])
def test_builtins_fit_by_bare_and_by_full_name(name: str) -> None:
    assert after(ValueError(), StoredOptions(retry_on=(name,))) == 0


def test_own_classes_fit_by_dotted_name_only() -> None:
    assert after(Moved(), StoredOptions(dont_retry_on=(f"{__name__}.Moved",))) is None
    assert after(Moved(), StoredOptions(dont_retry_on=("Moved",))) == 0


def test_dont_retry_on_wins_over_retry_on() -> None:
    options = StoredOptions(retry_on=("OSError",), dont_retry_on=("ConnectionError",))
    assert after(ConnectionResetError(), options) is None
    assert after(FileNotFoundError(), options) == 0


def test_names_that_cannot_be_imported_are_only_compared() -> None:
    assert after(ValueError(), StoredOptions(dont_retry_on=("no.such.module.Error",))) == 0


def test_an_empty_retry_on_retries_nothing() -> None:
    assert after(ValueError(), StoredOptions(retry_on=())) is None


def test_a_permanent_error_is_never_retried() -> None:
    assert after(PermanentError(), StoredOptions(retry_on=("Exception",))) is None


def test_a_transient_error_is_retried_whatever_retry_on_says() -> None:
    assert after(TransientError(), StoredOptions(retry_on=("KeyError",))) == 0


def test_retry_job_waits_its_own_time_whatever_the_filters_say() -> None:
    options = StoredOptions(retry_on=(), dont_retry_on=("Exception",))
    assert after(RetryJob(defer=7), options) == 7


def test_retry_job_without_a_time_takes_the_jobs_delay() -> None:
    assert after(RetryJob()) == 5


def test_retry_job_ends_with_the_last_attempt() -> None:
    assert after(RetryJob(defer=7), number=3) is None


def test_retry_job_waits_no_longer_than_a_year() -> None:
    assert after(RetryJob(defer=1e300)) == CEILING


@pytest.mark.parametrize("defer", [-1, float("nan"), float("inf"), "5", True, timedelta(seconds=5)])
def test_retry_job_refuses_what_is_no_number_of_seconds(defer: Any) -> None:
    with pytest.raises(ValueError, match=r"defer must be a number of seconds ≥ 0, not"):
        RetryJob(defer=defer)


def test_retry_job_is_retried_even_where_the_callable_says_no() -> None:
    assert after(RetryJob(), CALLABLE, policy=lambda exception, job: False) is not None


def test_a_callable_gets_exception_and_job_and_says_the_seconds() -> None:
    seen: list[object] = []

    def policy(exception: BaseException, job: JobContext) -> float:
        seen.extend([exception, job])
        return 12

    error = ValueError()
    assert after(error, CALLABLE, policy=policy) == 12
    assert seen == [error, JOB]


def test_a_callable_that_says_false_buries_the_job() -> None:
    assert after(ValueError(), CALLABLE, policy=lambda exception, job: False) is None


def test_a_callable_that_says_true_means_the_fallback() -> None:
    answers = [after(ValueError(), CALLABLE, policy=lambda exception, job: True, number=n) for n in (1, 2)]
    assert answers == [2, 4]


@pytest.mark.parametrize("answer", [None, -1, float("nan"), "soon"])
def test_a_callable_that_says_nonsense_is_logged_and_means_the_fallback(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="django_jobs"):
        assert after(ValueError(), CALLABLE, policy=lambda exception, job: answer) == FALLBACK.delay(1)
    assert str(JOB.id) in caplog.text


def test_a_callable_that_raises_is_logged_and_means_the_fallback(caplog: pytest.LogCaptureFixture) -> None:
    def policy(exception: BaseException, job: JobContext) -> float:
        raise RuntimeError("the policy itself is broken")

    with caplog.at_level(logging.ERROR, logger="django_jobs"):
        assert after(ValueError(), CALLABLE, policy=policy) == FALLBACK.delay(1)
    assert "the policy itself is broken" in caplog.text


def test_a_callable_is_not_asked_after_the_last_attempt() -> None:
    assert after(ValueError(), CALLABLE, policy=lambda exception, job: 1 / 0, number=3) is None


def test_a_number_on_the_row_wins_over_the_functions_callable() -> None:
    assert after(ValueError(), FIVE, policy=lambda exception, job: 99) == 5


def test_a_callable_that_is_gone_means_the_fallback() -> None:
    assert after(ValueError(), CALLABLE, policy=None) == FALLBACK.delay(1)


def test_timeout_and_crash_use_the_number_on_the_row() -> None:
    stored = '{"retry_delay": {"policy": "linear", "step": 10}}'
    answers = [without_exception(stored, number=number, max_attempts=3) for number in (1, 2, 3)]
    assert answers == [10, 20, None]


@pytest.mark.parametrize("stored", [None, '{"retry_delay": "callable"}', "corrupt {"])
def test_timeout_and_crash_without_a_number_mean_the_fallback(stored: str | None) -> None:
    answers = [without_exception(stored, number=number, max_attempts=20) for number in (1, 2, 3, 15)]
    assert answers == [2, 4, 8, 300]
