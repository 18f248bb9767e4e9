"""One visit to a peer: its script, run by its own Python on a fresh database, tells figures or why not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from benchmarks.bench import ROOT
from benchmarks.figures import Figure
from benchmarks.peers.header import Header
from benchmarks.peers.places import fresh_place
from benchmarks.peers.venvs import last_line


class Failed(Exception):
    """A peer's script ended without figures; says its error line."""


def visit(
    header: Header, python: Path, database: str, setting: str, *, jobs: int, seconds: float
) -> list[Figure]:
    """Measure one peer with one setting; each of its measures takes at most about so many seconds.

    Raises:
        Failed: the script failed, or took far longer than its measures may.
    """
    command = [str(python), "-m", "benchmarks.peers.inside", header.script]
    command += [f"--jobs={jobs}", f"--seconds={seconds}"]
    with fresh_place(database) as place:
        environment = {**os.environ, **place, "BENCH_SETTING": setting}
        environment |= {"BENCH_JSON": "1", "PYTHONPATH": str(ROOT)}
        environment["PATH"] = f"{python.parent}:{os.environ.get('PATH', '')}"
        return figures_of(*run(command, environment, place["BENCH_DIRECTORY"], patience=90 + 6 * seconds))


def run(
    command: list[str], environment: dict[str, str], directory: str, *, patience: float
) -> tuple[int, str, str]:
    """Run a script; return its exit code and what it said on both streams. Nothing it started outlives it."""
    # A group of its own: whatever the peer has started and forgotten ends with it.
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as script:
        try:
            out, err = script.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return 1, "", f"not done after {patience:g} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(script.pid, signal.SIGKILL)
    return script.returncode, out, err


def figures_of(code: int, out: str, err: str) -> list[Figure]:
    """Return what a script told in its last line.

    Raises:
        Failed: it did not end well.
    """
    if code:
        raise Failed(last_line(err) or f"ended with {code} and said nothing")
    return [Figure(**each) for each in json.loads(last_line(out))]
