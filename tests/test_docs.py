"""What README and docs say is true: their code runs, their tables are the code's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from django_jobs import conf, registry
from django_jobs.histograms import bounds
from django_jobs.management.commands.runworker import Command
from django_jobs.models import Counter, Job
from django_jobs.options import SETTINGS, Options
from django_jobs.states import TRANSITIONS, Status

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
WALKS = {
    "README.md": "shop.jobs.send_receipt",
    "docs/database.md": "shop.jobs.send_receipt",
    "docs/quickstart.md": "receipt 1 to ada@example.com, attempt 1",
}
OTHERS = {
    "docs/checks.md",
    "docs/jobs.md",
    "docs/queues.md",
    "docs/settings.md",
    "docs/commands.md",
    "docs/servers.md",
    "docs/statistics.md",
    "docs/stopping.md",
}
PLACE = ("NAME", "HOST", "PORT", "USER", "PASSWORD")
LOOK = """
from django.contrib.auth.models import User
from django.test import Client
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_superuser("ada", password="x"))
page = client.get("/admin/django_jobs/job/")
text = page.content.decode().replace("<wbr>", "")
print("admin", page.status_code, text.count("shop.jobs.send_receipt</bdi>"))
"""


class Fence(NamedTuple):
    """A block of code in a page."""

    language: str
    text: str


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text()


def fences(name: str, *languages: str) -> Iterator[Fence]:
    """Yield the blocks of code of a page that are in one of these languages."""
    for language, text in FENCE.findall(page(name)):
        if language in languages:
            yield Fence(language, text)


def rows(name: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table with this first heading, by the code in their first cell."""
    table = page(name).split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    cells = [re.split(r"\s*(?<!\\)\|\s*", line)[1:-1] for line in table.splitlines()[2:]]
    return {row[0].strip("`").split()[0]: row for row in cells}


class Walk:
    """A reader who pastes one block after the other, from an empty directory on."""

    def __init__(self, place: Path) -> None:
        self.place = place
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**inherited, "PATH": path, "PYTHONPATH": str(ROOT)}

    def take(self, fence: Fence) -> str:
        """Paste a block; return what it prints."""
        return self.run(fence.text) if fence.language == "sh" else self.write(fence.text)

    def run(self, script: str) -> str:
        """Run shell commands, and stay where they end."""
        ended = subprocess.run(
            ["bash", "-ec", f"{script}\npwd >&2"],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
        self.place = Path(ended.stderr.splitlines()[-1])
        return ended.stdout

    def write(self, code: str) -> str:
        """Write a file, or add to it where the block says so; its first line names it."""
        name, _, rest = code.splitlines()[0].removeprefix("# ").partition(",")
        file = self.place / name
        before = file.read_text() if rest else ""
        file.write_text(f"{before}\n{code}")
        return ""


@pytest.mark.parametrize("name", WALKS)
def test_a_reader_who_pastes_the_page_gets_what_it_says(name: str, tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    printed = "".join([walk.take(fence) for fence in fences(name, "sh", "python")])
    assert WALKS[name] in printed
    listed = walk.run("python manage.py jobs list")
    assert listed.splitlines()[1].split()[1:3] == ["completed", "shop.jobs.send_receipt"]
    (walk.place / "look.py").write_text(LOOK)
    assert "admin 200 1" in walk.run("python manage.py shell < look.py")


@pytest.mark.only_on("postgresql", "mariadb")
@pytest.mark.django_db(transaction=True)
def test_a_reader_who_has_a_server_pastes_its_settings_and_gets_the_same(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.environment |= {f"DATABASE_{key}": str(connection.settings_dict[key]) for key in PLACE}
    printed = ""
    for fence in fences("README.md", "sh", "python"):
        printed += walk.take(fence)
        if fence.text.startswith("# mysite/settings.py"):
            for settings in _settings_of(connection.display_name):
                walk.take(settings)
    assert WALKS["README.md"] in printed
    listed = walk.run("python manage.py jobs list")
    assert listed.splitlines()[1].split()[1:3] == ["completed", "shop.jobs.send_receipt"]
    assert Job.objects.get().status == Status.COMPLETED


def _settings_of(server: str) -> list[Fence]:
    section = page("docs/servers.md").split(f"## On {server}\n")[1].split("\n## ")[0]
    return [Fence(language, text) for language, text in FENCE.findall(section) if language == "python"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "function"), [("docs/jobs.md", "send_receipt"), ("docs/queues.md", "send_newsletter")]
)
def test_the_code_about_job_functions_runs(monkeypatch: pytest.MonkeyPatch, name: str, function: str) -> None:
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    module: dict[str, Any] = {"__name__": "docs_jobs"}
    for fence in fences(name, "python"):
        exec(compile(fence.text, name, "exec"), module)
    assert module[function].name == f"docs_jobs.{function}"


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


def test_the_buckets_are_those_of_the_code() -> None:
    said = {
        bucket: [float(word) for word in re.findall(r"[0-9.]+(?= m?s)", row[1])]
        for bucket, row in rows("docs/statistics.md", "bucket").items()
        if bucket.isdigit()
    }
    assert said == {"0": [1], "1": [1, 2], "2": [2, 4], "10": [0.512, 1.024]}
    assert [bounds(number) for number in (0, 1, 2, 10)] == [
        (0, 0.001),
        (0.001, 0.002),
        (0.002, 0.004),
        (0.512, 1.024),
    ]


def test_the_settings_shown_are_valid() -> None:
    module: dict[str, Any] = {}
    for fence in fences("docs/settings.md", "python"):
        exec(fence.text, module)
    assert conf._check(module["DJANGO_JOBS"]) == []
    assert Options.of(module["DJANGO_JOBS"]["DEFAULT_OPTIONS"], place=SETTINGS).max_attempts == 5


def test_the_check_silenced_is_one_of_ours() -> None:
    module: dict[str, Any] = {}
    for fence in fences("docs/checks.md", "python"):
        exec(fence.text, module)
    assert set(module["SILENCED_SYSTEM_CHECKS"]) <= set(rows("docs/checks.md", "id"))


@pytest.mark.django_db
def test_the_commands_shown_are_accepted() -> None:
    for fence in fences("docs/commands.md", "sh"):
        for line in fence.text.splitlines():
            python, manage, *words = shlex.split(line)
            assert (python, manage) == ("python", "manage.py")
            call_command(*words)


def test_no_page_has_code_that_no_test_runs() -> None:
    assert {name for name in PAGES if any(fences(name, "sh", "python"))} == {*WALKS, *OTHERS}


def test_the_transition_table_is_the_one_of_the_code() -> None:
    lines = [f"| {verb} | {_states(start)} | {_states(end)} |" for verb, (start, end) in TRANSITIONS.items()]
    shown = page("docs/lifecycle.md").split("<!-- transitions -->")[1].split("<!-- end of transitions -->")[0]
    assert shown.strip().splitlines()[2:] == lines


def _states(states: Any) -> str:
    if None in states:
        return "(no job)"
    return ", ".join(f"`{status}`" for status in Status if status in states)


def test_every_state_is_explained() -> None:
    assert list(rows("docs/lifecycle.md", "state")) == list(Status)


def test_every_setting_is_explained_with_its_default() -> None:
    table = rows("docs/settings.md", "setting")
    assert list(table) == [each.name for each in fields(conf.Conf)]
    for each in fields(conf.Conf):
        default = each.default if each.default is not MISSING else each.default_factory()  # type: ignore[misc]
        assert table[each.name][1] == f"`{default}`"


def test_every_option_is_explained() -> None:
    table = rows("docs/jobs.md", "option")
    assert set(table) == {each.name for each in fields(Options)} - {"given"}


def test_every_system_check_is_explained_and_no_other() -> None:
    code = "".join(path.read_text() for path in (ROOT / "django_jobs").rglob("*.py"))
    ids = set(re.findall(r'id="(django_jobs\.[EWI]\d{3})"', code))
    assert list(rows("docs/checks.md", "id")) == sorted(ids, key=lambda each: ("EWI".index(each[12]), each))


def test_every_option_of_the_worker_is_explained() -> None:
    ours = _options_of(Command()) - _options_of(BaseCommand())
    assert set(rows("docs/commands.md", "option")) == ours


def _options_of(command: BaseCommand) -> set[str]:
    actions = command.create_parser("manage.py", "runworker")._actions
    return {action.option_strings[0] for action in actions if action.option_strings}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", *PAGES])
def test_links_lead_to_files_that_exist(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page(name)):
        assert ((ROOT / name).parent / target).exists(), target
