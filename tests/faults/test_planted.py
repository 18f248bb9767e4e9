"""The planted bugs can still be planted, and the selftest tells a bug that is found from one that is not."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.faults.bugs import BUGS
from tests.faults.selftest import FOUND, judge, look

# A bug of each room that is found within seconds: in the engines, in the worker and in the runner.
QUICK = ("ack without token", "masked when shown, not when stored", "only the runner is killed")


@cache
def _names(file: str) -> set[str]:
    """Return the names that a test module defines."""
    tree = ast.parse(Path(file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("name", sorted(BUGS))
def test_a_bug_can_be_planted_where_it_says_and_its_test_exists(name: str) -> None:
    bug = BUGS[name]
    with bug.plant():
        assert bug.plant.where
    file, *classes, test = bug.test.partition("[")[0].split("::")
    # What an engine has to pass is imported into its module from all of these.
    conformance = "tests/engines/conformance"
    there = _names(file).union(*(_names(str(each)) for each in Path(conformance).glob("*.py")))
    assert {*classes, test} <= there


REPORT = '<testsuites><testsuite><testcase name="one">{}</testcase></testsuite></testsuites>'


@pytest.mark.parametrize(
    ("inside", "verdict"),
    [
        ('<failure message="assert 1 == 2">text</failure>', FOUND),
        ('<failure message="short">def test: assert 1 == 2</failure>', FOUND),
        ('<failure message="no worker">text</failure>', "NOT FOUND: it failed for another reason"),
        ('<error message="assert 1 == 2"/>', "NOT FOUND: error"),
        ("<skipped/>", "NOT FOUND: skipped"),
        ("", "NOT FOUND: the test passed"),
        ('</testcase><testcase name="two">', "NOT FOUND: not one test ran"),
    ],
)
def test_only_a_failure_for_the_reason_that_is_written_down_counts(inside: str, verdict: str) -> None:
    assert judge(REPORT.format(inside), "1 == 2").startswith(verdict)


def test_a_test_that_does_not_come_to_an_end_finds_nothing() -> None:
    assert judge("", "1 == 2").startswith("NOT FOUND")


@pytest.mark.faults(from_tier=1)
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", QUICK)
def test_a_bug_that_is_planted_into_real_processes_is_found(name: str) -> None:
    assert look(name, BUGS[name].test, BUGS[name].said, "sqlite").said == FOUND


@pytest.mark.faults(from_tier=1)
@pytest.mark.timeout(400)
def test_a_bug_that_its_test_cannot_find_is_told() -> None:
    other = BUGS["rescue without guard"].test
    assert look("masked when shown, not when stored", other, "lease", "sqlite").said.endswith(
        "the test passed"
    )
