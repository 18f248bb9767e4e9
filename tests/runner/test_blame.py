"""An error report is clean text, bounded, and the same for the same cause."""

from __future__ import annotations

import pytest
from django.test import override_settings

from django_jobs.masking import SHORTEST, Secrets
from django_jobs.runner.blame import blame, message_of
from django_jobs.states import ErrorKind
from tests import jobs as shared
from tests import jobs_that_misbehave as misbehaving
from tests.runner import jobs
from tests.runner.making import error_of


def test_a_traceback_begins_with_the_users_code() -> None:
    trace = error_of(shared.fail).traceback
    assert trace.splitlines()[0] == "Traceback (most recent call last):"
    assert trace.splitlines()[1].endswith("in fail")
    assert "django_jobs/runner" not in trace


def test_errors_at_one_place_share_a_fingerprint_whatever_they_say() -> None:
    first, again, elsewhere = (error_of(jobs.fail_at, line) for line in (1, 1, 2))
    assert first.message != elsewhere.message
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != elsewhere.fingerprint
    assert len(first.fingerprint) == 16


def test_the_same_error_of_another_function_has_another_fingerprint() -> None:
    error = ValueError("x")
    first, second = (blame(error, kind=ErrorKind.EXCEPTION, function=name) for name in ("a", "b"))
    assert first.fingerprint != second.fingerprint


@override_settings(DJANGO_JOBS={"MAX_ERROR_TEXT": 1000, "MAX_TRACEBACK": 2000})
def test_text_is_clean_and_says_that_it_was_truncated() -> None:
    error = error_of(misbehaving.raise_dirty_text)
    for text, limit in ((error.message, 1000), (error.traceback, 2000)):
        assert len(text.encode()) <= limit
        assert "truncated" in text
        assert "\0" not in text


def test_a_class_name_of_any_length_fits_its_column() -> None:
    odd = type("E" * 1000, (Exception,), {})
    assert len(blame(odd(), kind=ErrorKind.EXCEPTION, function="f").exception_type) == 255


def test_an_error_that_cannot_be_shown_is_shown_as_such() -> None:
    assert message_of(misbehaving.Unspeakable()) == "<no message: its __str__ raised RuntimeError>"
    assert error_of(misbehaving.raise_unspeakable).exception_type.endswith("Unspeakable")


def test_an_error_without_a_place_has_a_report_too() -> None:
    report = blame(KeyError("x"), kind=ErrorKind.EXCEPTION, function="f")
    assert (report.exception_type, report.message) == ("KeyError", "'x'")
    assert report.fingerprint


@pytest.mark.parametrize("secret", ["s3cr3t-of-some-length", "\n".join(f"line {n:x}" for n in range(9000))])
def test_of_megabytes_of_text_the_ends_are_stored_without_the_secret(secret: str) -> None:
    lines = secret.split("\n")
    said = f"{secret} {lines[0]}" + "e" * 10_000_000 + f"{lines[-1]} {secret}"
    report = blame(ValueError(said), kind=ErrorKind.EXCEPTION, function="f", secrets=Secrets([secret]))
    for text, limit in ((report.message, 16 * 1024), (report.traceback, 64 * 1024)):
        assert len(text.encode()) <= limit
        assert "truncated, 10," in text
        assert not any(line in text for line in lines if len(line) >= SHORTEST)


def test_a_message_of_a_hostile_class_of_text_is_stored() -> None:
    class Text(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise ValueError("no length")

    class Hostile(Exception):
        def __str__(self) -> str:
            return Text("said")

    assert blame(Hostile(), kind=ErrorKind.EXCEPTION, function="f").message == "said"
