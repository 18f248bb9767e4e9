"""How values look."""

from __future__ import annotations

import pytest

from django_jobs.admin import formats
from django_jobs.states import AttemptOutcome, Status


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "—"),
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (3.44, "3.4 s"),
        (59.9, "59.9 s"),
        (125, "2 min 5 s"),
        (300, "5 min"),
        (3599.9, "1 h"),
        (12_000, "3 h 20 min"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float | None, said: str) -> None:
    assert formats.seconds(seconds) == said


@pytest.mark.parametrize("value", [*Status, *AttemptOutcome])
def test_every_state_and_outcome_has_a_sign_of_its_own_word(value: str) -> None:
    assert "?" not in formats.badge(value, value)
    assert value in formats.badge(value, value)


def test_stored_json_is_laid_out() -> None:
    assert "{\n  &quot;a&quot;: &quot;ä&quot;\n}" in formats.stored_json('{"a":"\\u00e4"}')


def test_a_dotted_name_may_break_after_its_dots_and_stays_escaped() -> None:
    assert formats.code("shop.<b>.pay") == '<bdi class="jobs-code">shop.<wbr>&lt;b&gt;.<wbr>pay</bdi>'
