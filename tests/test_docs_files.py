"""What README and docs show besides Python is well formed, and what they name is there."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from django_jobs.conf import Conf
from django_jobs.worker.stopping import LAST_WRITES
from tests.pages import OURS, PAGES, ROOT, Fence, blocks, commands, fences, page

# How each language of a block is tried: the first two in test_docs.py, `text` is no code.
LANGUAGES = {"python", "sh", "console", "ini", "dockerfile", "procfile", "yaml", "text"}
UNITS = {
    ".service": {"Unit", "Service", "Install"},
    ".timer": {"Unit", "Timer", "Install"},
}
# About an example that has tests of its own, and about what tests have come to.
ELSEWHERE = {"docs/example.md", "docs/reliability-report.md"}
INSTRUCTION = re.compile(r"(FROM|ENV|WORKDIR|COPY|RUN|USER|CMD|HEALTHCHECK|STOPSIGNAL) \S")
UNIT_FILES = [fence for _, fence in blocks("ini") if fence.file.startswith("/etc/systemd/")]


@pytest.mark.parametrize("name", [name for name in PAGES if name not in {"README.md", "docs/index.md"}])
def test_every_page_begins_with_the_practice_it_teaches_and_has_an_example_that_runs(name: str) -> None:
    assert page(name).split("\n\n")[1].startswith("*The practice this page teaches: ")
    assert any(fences(name, "python", "sh")) or name in ELSEWHERE


def test_every_block_is_in_a_language_that_is_tried() -> None:
    assert {fence.language for _, fence in blocks()} <= LANGUAGES


def test_every_command_of_manage_py_that_is_shown_is_accepted() -> None:
    known = get_commands()
    for words in [words for _, fence in blocks() for words in commands(fence.text)]:
        app = known.get(words[0])
        assert app, words
        command = load_command_class(app, words[0]) if isinstance(app, str) else app
        if app == "django_jobs":
            command.create_parser("manage.py", words[0]).parse_args(words[1:])


def test_every_make_target_that_is_shown_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    named = [target for name in [*PAGES, *OURS] for target in re.findall(r"`make ([a-z-]+)", page(name))]
    assert named
    assert set(named) <= targets


def test_the_tests_that_are_to_hold_up_a_promise_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", page("docs/reliability.md"))
    assert len(named) > 20
    for file, test in named:
        assert test in _tests_of(ROOT / file), f"{file}::{test}"


def _tests_of(path: Path) -> set[str]:
    top = ast.parse(path.read_text()).body if path.exists() else []
    found = {each.name for each in top if isinstance(each, ast.FunctionDef)}
    classes = [each for each in top if isinstance(each, ast.ClassDef)]
    return found | {
        f"{each.name}::{test.name}"
        for each in classes
        for test in each.body
        if isinstance(test, ast.FunctionDef)
    }


def test_every_fault_says_what_is_seen_and_which_test_tries_it() -> None:
    section = page("docs/reliability.md").split("\n## What happens when …\n")[1].split("\n## ")[0]
    faults = section.split("\n### ")[1:]
    assert len(faults) > 10
    for fault in faults:
        told = "The same as for" in fault or ("**You see**" in fault and "**Tried by**" in fault)
        assert told, fault.partition("\n")[0]


@pytest.mark.parametrize("fence", UNIT_FILES, ids=lambda fence: Path(fence.file).name)
def test_the_units_are_what_systemd_takes(fence: Fence, tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(fence.text)
    assert set(unit.sections()) <= UNITS[Path(fence.file).suffix]
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze to verify it with")
    for other in UNIT_FILES:  # with an interpreter that is here
        text = re.sub(r"/srv/\S*/python", sys.executable, other.text)
        (tmp_path / Path(other.file).name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / Path(fence.file).name],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_worker_is_killed_by_its_supervisor_only_after_its_grace_period() -> None:
    text = "".join(fence.text for _, fence in blocks("ini", "yaml", "console", "text"))
    given = re.findall(r"(?:TimeoutStopSec=|terminationGracePeriodSeconds: |--stop-timeout )(\d+)", text)
    assert len(given) == 3
    assert all(int(seconds) > Conf().SHUTDOWN_GRACE + Conf().KILL_AFTER + LAST_WRITES for seconds in given)


def test_the_pools_are_described_as_pgbouncer_takes_it() -> None:
    (shown,) = (fence.text for _, fence in blocks("ini") if fence.file.endswith("pgbouncer.ini"))
    pools = configparser.ConfigParser(interpolation=None)
    pools.read_string(shown)
    keys = {word.partition("=")[0] for pool in pools["databases"].values() for word in pool.split()}
    assert keys == {"host", "port", "dbname", "pool_mode", "pool_size"}


@pytest.mark.parametrize("fence", [fence for _, fence in blocks("dockerfile")], ids=lambda _: "")
def test_dockerfiles_are_made_of_instructions(fence: Fence) -> None:
    lines = [line for line in fence.text.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    assert [line for line in lines if not INSTRUCTION.match(line)] == []


@pytest.mark.parametrize("fence", [fence for _, fence in blocks("procfile")], ids=lambda _: "")
def test_procfiles_name_each_process_once(fence: Fence) -> None:
    lines = [line for line in fence.text.splitlines() if not line.startswith("#")]
    names = [re.fullmatch(r"([a-z-]+): \S.*", line)[1] for line in lines]  # type: ignore[index]
    assert "worker" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [*OURS, *PAGES])
def test_links_lead_to_files_that_exist(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page(name)):
        assert ((ROOT / name).parent / target).exists(), target


def test_the_files_and_rooms_that_contributing_names_are_there() -> None:
    named = re.findall(
        r"`((?:django_jobs|tests|docs|benchmarks|example_project|\.ci)/[\w./*-]*)`", page("CONTRIBUTING.md")
    )
    assert len(named) > 10
    for path in named:
        assert list(ROOT.glob(path.rstrip("/"))), path


def test_every_message_that_is_quoted_is_one_of_the_code() -> None:
    code = " ".join(path.read_text() for path in sorted((ROOT / "django_jobs").rglob("*.py")))
    # As it is read: literals that are written in several pieces are one, and what is filled in is a gap.
    said = re.sub(r"\"\s+f?\"", "", code)
    quoted = re.findall(r"^\| `([^`]+)`", page("docs/troubleshooting.md"), re.MULTILINE)
    seen = re.findall(r"^- \*\*You see\*\*(.*)$", page("docs/reliability.md"), re.MULTILINE)
    quoted += re.findall(r"`([a-z]+ [^`]+ [^`]+)`", "".join(seen))
    assert len(quoted) > 30
    for message in quoted:
        for part in message.split(" … "):
            assert part.strip("… ") in said, message
