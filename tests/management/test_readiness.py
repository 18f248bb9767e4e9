"""What a newcomer forgets about the database: the commands say it at once and in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from django_jobs.management.readiness import obstacle


def manage(*words: str, database: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a file of its own, as a person does."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "PYTHONPATH": os.getcwd(),
        "TEST_DATABASE": "sqlite",
        "TEST_DATABASE_NAME": database,
    }
    command = [sys.executable, "-m", "django", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("words", [("runworker", "--burst"), ("jobs", "list"), ("jobs", "stats", "--json")])
def test_a_database_without_the_tables_is_named_with_the_command_that_makes_them(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    ended = manage(*words, database=str(tmp_path / "empty.sqlite3"))
    assert ended.returncode == 1
    said = "CommandError: database 'default' has no table django_jobs_job: run `manage.py migrate` first\n"
    assert ended.stderr == said


@pytest.mark.parametrize("name", [":memory:", "file:shared?mode=memory&cache=shared"])
def test_a_worker_refuses_a_database_that_no_other_process_can_see(name: str) -> None:
    ended = manage("runworker", "--burst", database=name)
    assert ended.returncode == 1
    assert "is kept in memory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_gives_no_answer_is_no_obstacle_but_an_error_of_one_line(tmp_path: Path) -> None:
    ended = manage("jobs", "list", database=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == (
        "CommandError: the database fails: unable to open database file "
        "(is the folder there, and writable? check DATABASES['default'])\n"
    )


@pytest.mark.django_db
def test_a_migrated_database_is_no_obstacle() -> None:
    assert obstacle("default") is None
