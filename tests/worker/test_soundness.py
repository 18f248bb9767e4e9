"""A row that cannot be a job is known by its columns, whatever SQLite has stored in them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from django_jobs.worker.soundness import _SOUND, _is_plain, _wrong_columns, flaws
from tests.worker.making import claimed

# What somebody may have written into any column, sound in some of them.
VALUES: list[Any] = [
    *[None, "", "a", "é", "\udc80", b"", b"a", [], True, 0, 1, -1, 0.0, 1.0, -1.0, Decimal(1)],
    *[2**15 - 1, 2**15, 2**31 - 2, 2**31 - 1, 2**70, math.nan, math.inf],
]


@pytest.mark.parametrize("column", _SOUND)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_taken_for_sound_at_a_glance_has_no_wrong_column(column: str, value: Any) -> None:
    job = claimed(**{column: value})
    assert not (_is_plain(job) and _wrong_columns(job))


def test_what_enqueue_stores_is_seen_at_a_glance() -> None:
    assert _is_plain(claimed())
    assert _is_plain(claimed(options="{}", timeout=None, attempts=3, round=2, interruptions=1, priority=-5))


def test_each_wrong_column_is_named_with_its_value() -> None:
    assert flaws(claimed(args=b"a", round="one")) == {"args": b"a", "round": "one"}
