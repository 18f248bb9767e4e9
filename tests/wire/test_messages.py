"""Whatever a row or a run holds comes out of a message as it went in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from django_jobs.notes import Note, Progress
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.messages import (
    Assignment,
    Refusal,
    Remark,
    fence,
    fence_of,
    report_from_bytes,
    report_to_bytes,
)

# As a database may hold it: NUL and lone surrogates included.
any_text = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", "\0", "a\0b", "\ud800", "é🛫"]
)
stored_text = st.text()
whole = st.integers(-(2**63), 2**63 - 1)
tokens = st.integers(0, 2**63 - 1)
moments = st.integers(0, 2**63 - 1)

assignments = st.builds(
    Assignment,
    job_id=st.uuids(),
    token=tokens,
    function=any_text,
    queue=any_text,
    priority=whole,
    max_attempts=whole,
    round=whole,
    number=whole,
    options=st.none() | any_text,
    meta=st.none() | any_text,
    args=any_text,
)
errors = st.builds(
    ErrorReport,
    kind=st.sampled_from(ErrorKind),
    exception_type=any_text,
    message=any_text,
    traceback=any_text,
    fingerprint=any_text,
)
outcomes = st.builds(
    Outcome,
    job_id=st.uuids(),
    token=tokens,
    outcome=st.sampled_from(AttemptOutcome),
    retry_in=st.none() | st.floats(0, allow_nan=False, allow_infinity=True),
    result_data=st.none() | stored_text,
    error=st.none() | errors,
    started_ns=moments,
    finished_ns=moments,
    note=st.none(),  # which travels by itself
)
refusals = st.builds(Refusal, job_id=st.uuids(), token=tokens, delay=st.floats(0, 1e9), reason=any_text)

numbers = st.floats(allow_nan=False, allow_infinity=False)
notes = st.builds(
    Note,
    progress=st.none() | st.builds(Progress, numbers, st.none() | numbers, any_text),
    meta=st.none() | any_text,
    log=st.none() | any_text,
)
remarks = st.builds(Remark, job_id=st.uuids(), token=tokens, note=notes)


@given(assignments)
def test_an_assignment_comes_out_as_it_went_in(assignment: Assignment) -> None:
    assert Assignment.from_bytes(assignment.to_bytes()) == assignment


@given(outcomes | refusals | remarks)
def test_a_report_comes_out_as_it_went_in(report: Any) -> None:
    assert report_from_bytes(report_to_bytes(report)) == report


@given(outcomes)
def test_a_result_that_is_none_differs_from_an_empty_one(outcome: Outcome) -> None:
    again = report_from_bytes(report_to_bytes(outcome))
    assert isinstance(again, Outcome)
    assert (again.result_data is None) == (outcome.result_data is None)


@given(assignments, outcomes | refusals | remarks)
def test_each_message_begins_with_the_fence_of_its_run(assignment: Assignment, report: Any) -> None:
    assert fence_of(assignment.to_bytes()) == fence(assignment.job_id, assignment.token)
    assert fence_of(report_to_bytes(report)) == fence(report.job_id, report.token)
