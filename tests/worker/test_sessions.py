"""A session is killed as a whole, and nobody else."""

from __future__ import annotations

import subprocess

from django_jobs.worker.sessions import kill_session


def _session(script: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def _ended(process: subprocess.Popen[bytes]) -> int:
    # The end of the pipe is the end of everyone who held it.
    return process.wait(20) if process.communicate(timeout=20)[0] == b"" else 0


def test_children_that_ignore_term_and_children_in_groups_of_their_own_end_too() -> None:
    process = _session("trap '' TERM; set -m; sleep 600 & sleep 600 & echo ready; wait")
    kill_session(process.pid)
    assert _ended(process) == -9


def test_children_of_a_leader_that_has_died_end_too() -> None:
    process = _session("sleep 600 & echo ready; kill -9 $$")
    process.poll()  # a zombie until it is waited for: its pid still names the session
    kill_session(process.pid)
    assert _ended(process) == -9


def test_another_session_is_left_alone() -> None:
    one, other = _session("echo ready; sleep 600"), _session("echo ready; sleep 600")
    kill_session(one.pid)
    assert _ended(one) == -9
    assert other.poll() is None
    kill_session(other.pid)
    assert _ended(other) == -9


def test_a_session_that_is_no_more_is_borne() -> None:
    process = _session("echo ready; sleep 600")
    kill_session(process.pid)
    assert _ended(process) == -9
    kill_session(2**23)
