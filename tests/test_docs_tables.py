"""The tables of the docs are the code's own."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import Any

from django.core.management.base import BaseCommand

from django_jobs import conf
from django_jobs.histograms import bounds
from django_jobs.management.commands.runworker import Command
from django_jobs.management.jobs import SUBCOMMANDS
from django_jobs.options import Options
from django_jobs.states import TRANSITIONS, Status
from tests.pages import ROOT, fences, page, rows


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


def test_every_setting_has_a_unit_and_an_effect() -> None:
    assert all(unit and effect for _, _, unit, effect in rows("docs/settings.md", "setting").values())


def test_every_option_is_explained() -> None:
    table = rows("docs/jobs.md", "option")
    assert set(table) == {each.name for each in fields(Options)} - {"given", "follows"}


def test_every_system_check_is_explained_and_no_other() -> None:
    code = "".join(path.read_text() for path in (ROOT / "django_jobs").rglob("*.py"))
    ids = set(re.findall(r'id="(django_jobs\.[EWI]\d{3})"', code))
    assert list(rows("docs/checks.md", "id")) == sorted(ids, key=lambda each: ("EWI".index(each[12]), each))


def test_the_check_silenced_is_one_of_ours() -> None:
    module: dict[str, Any] = {}
    for fence in fences("docs/checks.md", "python"):
        exec(fence.text, module)
    assert set(module["SILENCED_SYSTEM_CHECKS"]) <= set(rows("docs/checks.md", "id"))


def test_every_option_of_the_worker_is_explained() -> None:
    ours = _options_of(Command()) - _options_of(BaseCommand())
    assert set(rows("docs/commands.md", "option")) == ours


def _options_of(command: BaseCommand) -> set[str]:
    actions = command.create_parser("manage.py", "runworker")._actions
    return {action.option_strings[0] for action in actions if action.option_strings}


def test_every_subcommand_is_explained() -> None:
    table = page("docs/commands.md").split("| subcommand |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `jobs (\w+)", table, re.MULTILINE) == list(SUBCOMMANDS)


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
