"""What README and docs tell a reader to paste does what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from django_jobs import conf, registry
from django_jobs.models import Counter, Job
from django_jobs.options import SETTINGS, Options
from django_jobs.states import Status
from tests.pages import PAGES, ROOT, Fence, blocks, fences, page

# Pages that are pasted one block after the other into an empty directory, and what one of them prints.
WALKS = {
    "README.md": "shop.jobs.send_receipt",
    "docs/another-database.md": "shop.jobs.send_receipt",
    "docs/quickstart.md": "receipt 1 to ada@example.com, attempt 1",
}
# The code of all others runs here, page by page; that of these with something before it or behind it.
WITH_MORE = {"docs/databases.md", "docs/statistics.md"}
SETTINGS_FILE = "mysite/settings.py"
PLACE = ("NAME", "HOST", "PORT", "USER", "PASSWORD")
LOOK = """
from django.contrib.auth.models import User
from django.test import Client
from django_jobs.models import Job
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_superuser("ada", password="x"))
page = client.get("/admin/django_jobs/job/")
text = page.content.decode().replace("<wbr>", "")
statuses = list(Job.objects.values_list("status", flat=True))
print(statuses, page.status_code, text.count("shop.jobs.send_receipt</bdi>"))
"""


class Walk:
    """A reader who pastes one block after the other, from an empty directory on."""

    def __init__(self, place: Path) -> None:
        self.place = place
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**inherited, "PATH": path, "PYTHONPATH": str(ROOT)}

    def take(self, fence: Fence) -> str:
        """Paste a block; return what it prints."""
        return self.run(fence.text) if fence.language == "sh" else self.write(fence)

    def run(self, script: str) -> str:
        """Run shell commands, and stay where they end."""
        ended = subprocess.run(
            ["bash", "-ec", f"{script}\npwd >&2"],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,  # on a busy machine one page starts a dozen programs
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
        self.place = Path(ended.stderr.splitlines()[-1])
        return ended.stdout

    def write(self, fence: Fence) -> str:
        """Write the file that the block names, or add to it where it says so."""
        file = self.place / fence.file
        before = file.read_text() if "," in fence.text.splitlines()[0] else ""
        file.write_text(f"{before}\n{fence.text}")
        return ""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", WALKS)
def test_a_reader_who_pastes_the_page_gets_what_it_says(name: str, tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    printed = "".join([walk.take(fence) for fence in fences(name, "sh", "python")])
    assert WALKS[name] in printed
    (walk.place / "look.py").write_text(LOOK)
    assert "['completed'] 200 1" in walk.run("python manage.py shell < look.py")


@pytest.mark.only_on("postgresql", "mariadb")
@pytest.mark.timeout(400)
@pytest.mark.django_db(transaction=True)
def test_a_reader_who_has_a_server_pastes_its_settings_and_gets_the_same(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.environment |= {f"DATABASE_{key}": str(connection.settings_dict[key]) for key in PLACE}
    printed = ""
    for fence in fences("README.md", "sh", "python"):
        printed += walk.take(fence)
        if fence.file == SETTINGS_FILE:
            for settings in _settings_of(connection.display_name):
                walk.take(settings)
    assert WALKS["README.md"] in printed
    listed = walk.run("python manage.py jobs list")
    assert listed.splitlines()[1].split()[1:3] == ["completed", "shop.jobs.send_receipt"]
    assert Job.objects.get().status == Status.COMPLETED


def _settings_of(server: str) -> list[Fence]:
    section = page("docs/databases.md").split(f"## {server}\n")[1].split("\n## ")[0]
    return [fence for fence in fences("docs/databases.md", "python") if fence.text in section]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PAGES
        if name not in {*WALKS, *WITH_MORE}
        and any(fence.file != SETTINGS_FILE for fence in fences(name, "python"))
    ],
)
def test_the_code_of_a_page_runs(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    module: dict[str, Any] = {"__name__": f"docs_{Path(name).stem.replace('-', '_')}"}
    for fence in fences(name, "python"):
        if fence.file != SETTINGS_FILE:
            exec(compile(fence.text, name, "exec"), module)


@pytest.mark.parametrize(
    ("name", "fence"),
    [pair for pair in blocks("python") if pair[1].file == SETTINGS_FILE],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_settings_of_a_page_are_valid(monkeypatch: pytest.MonkeyPatch, name: str, fence: Fence) -> None:
    for key in PLACE:
        monkeypatch.setenv(f"DATABASE_{key}", "5432")
    monkeypatch.setenv("SECRET_KEY", "of the page")
    begun = {"DATABASES": {"default": {}}, "INSTALLED_APPS": [], "BASE_DIR": Path("/"), "DEBUG": True}
    exec(compile(fence.text, name, "exec"), begun)
    jobs: Any = begun.get("DJANGO_JOBS", {})
    aliases: Any = begun["DATABASES"]
    monkeypatch.setattr(conf.settings, "DATABASES", {**conf.settings.DATABASES, **aliases})
    assert conf._check(jobs) == []
    Options.of(jobs.get("DEFAULT_OPTIONS", {}), place=SETTINGS)


@pytest.mark.django_db
def test_the_code_about_statistics_tells_of_what_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    key = {"minute": timezone.now(), "worker_id": "", "function": "shop.jobs.pay", "queue": "default"}
    times = {"queue_seconds": 1, "run_seconds": 1, "queue_histogram": '{"9":4}', "run_histogram": '{"9":4}'}
    Counter.objects.create(**key, outcome="failed", runs=4, **times)
    module: dict[str, Any] = {}
    for fence in fences("docs/statistics.md", "python"):
        exec(fence.text, module)
    assert (module["hour"].runs, module["hour"].outcomes["failed"], module["hour"].run.mean) == (4, 4, 0.25)
    assert capsys.readouterr().out == "shop.jobs.pay 4 0.384\n"


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in PAGES if name not in WALKS and any(fences(name, "sh"))])
def test_the_commands_of_a_page_are_carried_out(name: str) -> None:
    for fence in fences(name, "sh"):
        for line in fence.text.splitlines():
            python, manage, *words = line.split()
            assert (python, manage) == ("python", "manage.py"), line
            call_command(*words)
