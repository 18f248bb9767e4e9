"""The guide's database: named by one word or one URL, and missed with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from example_project.database import UnknownDatabase, database
from example_project.settings import PROJECT
from tests.ports import listen


@pytest.mark.parametrize("given", ["", "sqlite"])
def test_it_is_a_file_in_the_home_of_the_guide_when_nothing_else_is_said(given: str, tmp_path: Path) -> None:
    assert database(given, home=tmp_path)["NAME"] == tmp_path / "airport_guide.sqlite3"


@pytest.mark.parametrize(("given", "engine"), [("postgresql", "postgresql"), ("mariadb", "mysql")])
def test_one_word_names_a_server_in_its_usual_place(given: str, engine: str, tmp_path: Path) -> None:
    entry = database(given, home=tmp_path)
    assert entry["ENGINE"] == f"django.db.backends.{engine}"
    assert entry["NAME"] == "airport_guide"


def test_a_url_says_it_all(tmp_path: Path) -> None:
    url = "postgresql://ada:a%40b@db.example.com:5433/flights?sslmode=require"
    assert database(url, home=tmp_path) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "flights",
        "HOST": "db.example.com",
        "PORT": "5433",
        "USER": "ada",
        "PASSWORD": "a@b",
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_word_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownDatabase, match=r"sqlite, postgresql, mariadb or a URL like .*, not on oracle"):
        database("oracle", home=tmp_path)


def test_a_url_that_is_refused_does_not_show_its_password(tmp_path: Path) -> None:
    with pytest.raises(UnknownDatabase, match=r"not on postgres\. Did you mean postgresql\?$"):
        database("postgres://ada:secret@db.example.com/guide", home=tmp_path)


def demo(home: Path, given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROJECT.parent / "manage.py"), "demo"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "AIRPORT_GUIDE_HOME": str(home),
            "AIRPORT_GUIDE_DATABASE": given,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_that_is_misspelt_is_answered_by_a_sentence(tmp_path: Path) -> None:
    ended = demo(tmp_path, "postgres")
    assert ended.returncode == 1
    assert ended.stderr.endswith("not on postgres. Did you mean postgresql?\n")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_the_demo_says_where_it_looked_for_a_server_and_what_to_do(scheme: str, tmp_path: Path) -> None:
    with listen() as taken:
        port = taken.getsockname()[1]
    ended = demo(tmp_path, f"{scheme}://ada:secret@127.0.0.1:{port}/guide")
    assert ended.returncode == 1
    assert "No database for the guide as ada@127.0.0.1: " in ended.stderr
    assert f"make demo DATABASE={scheme}://USER:PASSWORD@HOST:PORT/airport_guide" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr
