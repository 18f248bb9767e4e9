"""The tests on each pair of Python and Django: `make matrix`, or `nox -s tests-3.12`."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import nox

# The oldest and the newest of both, and what lies between.
DJANGO_ON = {"3.11": "5.2", "3.12": "6.0", "3.13": "6.1"}
# `make test` runs everything on SQLite; each of the other pairs does so on one of the servers.
SERVERS = ("postgresql", "mariadb")


def _covered() -> tuple[str, str]:
    """Return the pair that `make test` runs on: nox lives in the same environment."""
    python, django = sys.version_info[:2], importlib.metadata.version("django").split(".")[:2]
    return ".".join(map(str, python)), ".".join(django)


def _show_interpreters() -> None:
    """Put the interpreters that are really usable before pyenv's shims, which exist and may fail."""
    for version in DJANGO_ON:
        found = subprocess.run([".ci/find-python", version], capture_output=True, text=True, check=False)
        directory = Path(found.stdout.strip()).parent
        if directory.is_absolute():
            os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"


_show_interpreters()
nox.needs_version = ">=2025.2.9"
OTHERS = [pair[0] for pair in DJANGO_ON.items() if pair != _covered()]
DATABASE_OF = dict(zip(OTHERS, (*SERVERS, "sqlite"), strict=False))
nox.options.sessions = [f"tests-{python}" for python in OTHERS]
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = os.environ.get("CI") == "true"


@nox.session(python=list(DJANGO_ON), venv_backend="venv")
def tests(session: nox.Session) -> None:
    """Run everything on the one database that is this pair's."""
    python = str(session.python)
    session.install("--quiet", "-e", ".[tests]", f"django~={DJANGO_ON[python]}.0")
    database = DATABASE_OF.get(python, "sqlite")
    session.run("python", "-m", "tests", *(session.posargs or ["--on", database]))
