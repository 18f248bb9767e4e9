"""The queue on another alias than the project's own data."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from django_jobs.models import Job
from tests import jobs
from tests.processes.conftest import WorkerProcess

SHOP = """
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from tests import jobs

job = jobs.make_group.enqueue("made by a job")
ada = User.objects.create_superuser("ada", password="x")
client = Client(headers={"host": "localhost"})
client.force_login(ada)
for page in ("", f"{job.pk}/change/"):
    print(client.get(f"/admin/django_jobs/job/{page}").status_code, end=" ")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project with two SQLite files and no tables yet."""
    return Project(
        tmp_path, {"TEST_DATABASE": "sqlite", "TEST_DATABASE_NAME": str(tmp_path / "jobs.sqlite3")}
    )


class Project:
    """A project with its own SQLite file, and its jobs elsewhere."""

    def __init__(self, place: Path, queue: dict[str, str]) -> None:
        self.place = place
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.processes.other_database",
            "PYTHONPATH": os.getcwd(),
            "TEST_PROJECT_DATABASE": str(place / "shop.sqlite3"),
            **queue,
        }

    def manage(self, *words: str) -> str:
        """Run a command; return what it prints."""
        command = [sys.executable, "-m", "django", *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=50, check=True
        ).stdout

    def tables(self, file: str) -> set[str]:
        """Return the tables of a file, less what every one has."""
        connection = sqlite3.connect(self.place / file)
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        connection.close()
        return names - {"django_migrations", "sqlite_sequence"}


def test_each_database_gets_its_own_tables_and_jobs_run_on_both(project: Project) -> None:
    project.manage("migrate", "-v0")
    project.manage("migrate", "--database", "jobs", "-v0")
    assert {name[:11] for name in project.tables("jobs.sqlite3")} == {"django_jobs"}
    assert not [name for name in project.tables("shop.sqlite3") if name.startswith("django_jobs")]
    assert "auth_group" in project.tables("shop.sqlite3")

    assert project.manage("shell", "-v0", "-c", SHOP).split() == ["200", "200"]
    project.manage("runworker", "--burst")
    (listed,) = json.loads(project.manage("jobs", "list", "--json"))
    shown = json.loads(project.manage("jobs", "show", listed["id"], "--json"))
    assert (shown["status"], json.loads(json.dumps(shown["result"]))) == ("completed", ["jobs", "default"])
    assert json.loads(project.manage("jobs", "stats", "--json"))["total"]["completed"] == 1


def test_a_queue_without_its_tables_is_named_with_the_command_that_makes_them(project: Project) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        project.manage("runworker", "--burst")
    assert "run `manage.py migrate --database jobs` first" in caught.value.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["fork", "exec"])
def test_a_worker_serves_another_alias_on_any_database(
    subprocess_environment: dict[str, str], tmp_path: Path, method: str
) -> None:
    queue = {name: subprocess_environment[name] for name in ("TEST_DATABASE", "TEST_DATABASE_NAME")}
    project = Project(tmp_path, queue)
    project.manage("migrate", "auth", "-v0")
    made = [jobs.make_group.enqueue(f"group {number}") for number in range(3)]
    made += [jobs.make_group.using(max_attempts=1).enqueue("group 0"), jobs.fail.enqueue()]
    worker = WorkerProcess(
        tmp_path / "worker.log", project.environment, "--start-method", method, "--processes", "1"
    )
    try:
        ended = worker.until_final(*made)
        assert worker.stop() == 0
    finally:
        worker.end()
    assert [job.status for job in ended] == ["completed"] * 3 + ["dead"] * 2
    assert ended[0].result() == ["jobs", "default"]
    assert ended[3].errors[0].exception_type == "django.db.utils.IntegrityError"
    assert not Job.objects.running().exists()
