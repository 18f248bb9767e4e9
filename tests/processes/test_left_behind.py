"""Tests that are killed, which no fixture cleans up behind: nothing of them stays."""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from tests.marks import ROOT, marked
from tests.processes.conftest import PATIENCE, Start

KILLED = """
import os, signal, subprocess, sys
from tests.marks import swept_behind_me

with swept_behind_me(f"TEST_LEFT={sys.argv[1]}"):
    subprocess.Popen(["sleep", "600"], env={"TEST_LEFT": sys.argv[1], **os.environ}, start_new_session=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_left_in_other_sessions_is_killed_too() -> None:
    command = [sys.executable, "-c", KILLED, secrets.token_hex(8)]
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    # The end of the pipe is the end of everyone who held it.
    assert killed.communicate(timeout=PATIENCE)[0] == b""
    assert killed.returncode == -9


@pytest.mark.django_db(transaction=True)
def test_workers_and_their_runners_bear_the_mark_of_their_session(
    start_worker: Start, session_mark: str
) -> None:
    worker = start_worker("--processes", "2")
    worker.until(lambda: len(worker.family) == 4)
    assert set(marked(f"TEST_SESSION={session_mark}")) >= set(worker.family)
