"""`manage.py demo` as a person runs it: to the end, and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from example_project.airports.reading import count_rows
from tests.example.guide import Guide, children, wait_until

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guide, str]]:
    """A guide whose demo has run to its end once, and what it said."""
    guide = Guide(tmp_path_factory.mktemp("guide"))
    yield guide, guide.run()
    guide.end()


def family(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in family(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def line_of(function: str, output: str) -> list[str]:
    (line,) = re.findall(rf"{function}\W+(\d+)\W+(\d+)\W+(\d+)", output)
    return list(line)


def test_the_demo_ends_with_a_summary_by_function(finished: tuple[Guide, str]) -> None:
    guide, output = finished
    guide.assert_nothing_lost()
    batches = guide.count("airports_import")
    assert line_of("import_airports", output) == [str(batches), "0", "1"]
    assert line_of("make_thumbnail", output) == ["18", "3", "3"]
    assert line_of("make_contact_sheet", output) == ["1", "1", "0"]
    assert "createsuperuser" in output


def test_after_a_finished_run_the_demo_starts_a_fresh_one(finished: tuple[Guide, str]) -> None:
    guide, _ = finished
    assert "fresh run" in guide.run()
    assert guide.count("airports_demorun") == 2
    assert guide.count("airports_airport") == count_rows("airportsdata") + 4


def test_a_demo_that_was_killed_is_continued_and_leaves_no_worker_behind(guide: Guide) -> None:
    demo = guide.start()
    wait_until(guide.in_the_middle)
    left = family(demo.pid)
    demo.kill()
    demo.communicate()
    wait_until(lambda: not any(alive(pid) for pid in left))
    assert "Continuing" in guide.run()
    guide.assert_nothing_lost()
    assert guide.count("airports_demorun") == 1


def test_a_worker_killed_in_the_middle_loses_nothing_and_imports_each_batch_once(guide: Guide) -> None:
    demo = guide.start()
    wait_until(guide.in_the_middle)
    (worker,) = children(demo.pid)
    os.kill(worker, signal.SIGKILL)
    assert "was killed by signal 9" in guide.finish(demo)
    guide.assert_nothing_lost()
