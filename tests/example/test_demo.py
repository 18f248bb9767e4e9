"""`manage.py demo` as a person runs it: to the end, and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from uuid import UUID

import pytest

from example_project.airports.reading import count_rows
from tests.example.guide import CROWD, HUNG, Guide, family, wait_until
from tests.processes.conftest import children, is_gone

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guide, str]]:
    """A guide whose demo has run to its end once, and what it said."""
    guide = Guide(tmp_path_factory.mktemp("guide"))
    yield guide, guide.run()
    guide.end()


def line_of(function: str, output: str) -> list[str]:
    (line,) = re.findall(rf"{function}\W+(\d+)\W+(\d+)\W+(\d+)", output)
    return list(line)


def test_the_demo_ends_with_a_summary_by_function(finished: tuple[Guide, str]) -> None:
    guide, output = finished
    guide.assert_nothing_lost()
    batches = guide.count("airports_import")
    assert line_of("import_airports", output) == [str(batches), "0", "1"]
    assert line_of("make_thumbnail", output) == ["18", "3", "6"]
    assert line_of("make_contact_sheet", output) == ["1", "1", "0"]
    assert line_of("import_weather", output) == ["5", "3", "2"]
    assert line_of("mail_monthly_report", output) == ["1", "1", "0"]
    assert line_of("mail_failure", output) == ["1", "1", "0"]
    mails = sorted(path.read_text().split("Subject: ")[1][:17] for path in (guide.home / "mail").iterdir())
    assert mails == ["Dead: example_pro", "The airport guide"]
    assert "manage.py serve" in output


def test_each_trouble_with_the_weather_service_ends_as_it_should(finished: tuple[Guide, str]) -> None:
    guide, _ = finished
    rows = guide.rows("SELECT args, status, attempts FROM django_jobs_job WHERE queue = 'weather'")
    ended = {re.findall(r'"([A-Z]{2})"', args)[0]: (status, attempts) for args, status, attempts in rows}
    well, healed, dead = ("completed", 1), ("completed", 2), ("dead", 1)
    assert ended == {"DE": well, "AQ": well, "NO": healed, "IS": healed, "GB": healed, "FR": dead, "US": dead}
    kinds = guide.rows(
        "SELECT kind FROM django_jobs_joberror JOIN django_jobs_job AS job ON job.id = job_id "
        "WHERE queue = 'weather' AND status = 'dead' ORDER BY kind"
    )
    assert kinds == [("exception",), ("timeout",)]


def test_jobs_that_hang_are_ended_by_their_limit_or_from_a_second_terminal(
    finished: tuple[Guide, str],
) -> None:
    guide, output = finished
    assert guide.hung() == HUNG
    ran = {
        code: float(seconds)
        for code, seconds in re.findall(r"^(.*?) +(\d+\.\d\d) s  timed out +dead$", output, re.MULTILINE)
    }
    assert set(ran) == {
        "time.sleep(60)",
        "while True: pass",
        "sum(range(10**12))",
        "a program that ignores SIGTERM",
        "await asyncio.sleep(60)",
    }
    assert min(ran.values()) >= 1
    ((typed, said),) = re.findall(r"manage\.py jobs cancel --force (\S+)\n  (.*)\n", output)
    assert said == "0 cancelled, 1 asked to end"
    cancelled = guide.rows("SELECT id FROM django_jobs_job WHERE status = 'cancelled'")
    assert [UUID(str(job_id)) for (job_id,) in cancelled] == [UUID(typed)]
    assert re.search(r"^time\.sleep\(600\) +\d+\.\d\d s  cancelled  cancelled$", output, re.MULTILINE)


def test_a_job_that_hangs_in_a_thread_costs_its_neighbours_no_attempt(finished: tuple[Guide, str]) -> None:
    guide, output = finished
    assert guide.crowd() == CROWD
    said = " ".join(output.split())
    assert "7 have completed, 0 lost an attempt by it." in said
    interrupted = guide.rows(
        "SELECT DISTINCT job_id FROM django_jobs_attempt JOIN django_jobs_job AS job ON job.id = job_id "
        "WHERE outcome = 'interrupted' AND queue = 'crowd'"
    )
    assert interrupted
    assert f"Of the 7 jobs beside it {len(interrupted)} were interrupted by that" in said


def test_after_a_finished_run_the_demo_starts_a_fresh_one(finished: tuple[Guide, str]) -> None:
    guide, _ = finished
    demo = guide.start()
    wait_until(lambda: guide.count("airports_demorun") == 2)
    demo.kill()
    output, _ = demo.communicate()
    assert "fresh run" in output
    assert guide.count("airports_airport") < count_rows("airportsdata")


def test_a_demo_that_was_killed_is_continued_though_its_worker_is_killed_too(guide: Guide) -> None:
    demo = guide.start()
    wait_until(guide.in_the_middle)
    left = family(demo.pid)
    demo.kill()
    demo.communicate()
    wait_until(lambda: all(is_gone(pid) for pid in left))
    demo = guide.start()
    guide.go_on()
    (worker,) = children(demo.pid)
    os.kill(worker, signal.SIGKILL)
    output = guide.finish(demo)
    assert "Continuing" in output
    assert "was killed by signal 9" in output
    guide.assert_nothing_lost()
    assert guide.count("airports_demorun") == 1
