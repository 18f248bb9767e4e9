"""The health file is young while the worker is well, and nothing else is ever overwritten by it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.worker import health
from django_jobs.worker.health import WRITE_EVERY, HealthFile, HealthFileRefused

Make = Callable[[], HealthFile]


class Time:
    """A clock of seconds that the test sets; the lease has its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = boottime()
        monkeypatch.setattr(health, "boottime", lambda: self.now)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Return the clock of the health file."""
    return Time(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is to be."""
    return tmp_path / "health.json"


@pytest.fixture
def slips() -> Slips:
    """Return a page with the lease a worker begins with, which nobody has renewed."""
    made = Slips.create(1)
    made.lease_ns = boottime_ns() + 60 * 10**9
    return made


def _made(path: Path, slips: Slips) -> HealthFile:
    return HealthFile(str(path), worker_id="w-1", slips=slips, lease=60.0)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def _renew(slips: Slips, *, ago: float = 0.0) -> None:
    slips.lease_ns = boottime_ns() + int((60 - ago) * 1e9)


def test_a_worker_that_starts_says_so_at_once(path: Path, slips: Slips) -> None:
    _made(path, slips)
    content = _read(path)
    assert (content["worker_id"], content["state"], content["renewed"]) == ("w-1", "starting", None)
    assert datetime.now(UTC) - datetime.fromisoformat(content["time"]) < timedelta(minutes=1)


def test_a_lease_that_was_never_renewed_is_no_health(path: Path, slips: Slips, time: Time) -> None:
    file = _made(path, slips)
    file.keep(stopping=False)
    assert _read(path)["state"] == "starting"
    _renew(slips)
    time.now += 1
    file.keep(stopping=False)
    assert _read(path)["state"] == "running"


def test_it_says_when_the_lease_was_renewed(path: Path, slips: Slips) -> None:
    file = _made(path, slips)
    _renew(slips, ago=20)
    file.keep(stopping=False)
    content = _read(path)
    ago = datetime.fromisoformat(content["time"]) - datetime.fromisoformat(content["renewed"])
    assert timedelta(seconds=20) <= ago < timedelta(seconds=50)


def test_it_is_written_when_it_is_due_and_not_before(path: Path, slips: Slips, time: Time) -> None:
    file = _made(path, slips)
    _renew(slips)
    assert file.keep(stopping=False) == pytest.approx(WRITE_EVERY)
    path.unlink()
    time.now += WRITE_EVERY - 1
    assert file.keep(stopping=False) == pytest.approx(1)
    assert not path.exists()
    time.now += 1
    file.keep(stopping=True)
    assert _read(path)["state"] == "stopping"


def test_a_worker_whose_lease_has_passed_lets_it_grow_old(path: Path, slips: Slips) -> None:
    file = _made(path, slips)
    slips.lease_ns = boottime_ns() - 1
    os.utime(path, (0, 0))
    assert file.keep(stopping=False) < WRITE_EVERY
    assert path.stat().st_mtime == 0


def test_a_disk_that_fails_later_is_said_once_and_borne(
    path: Path, slips: Slips, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    file = _made(path, slips)
    _renew(slips)
    path.unlink()
    path.mkdir()
    for _ in range(3):
        time.now += WRITE_EVERY
        file.keep(stopping=False)
    assert [record.message for record in caplog.records] == [
        f"the health file {path} grows old: Is a directory"
    ]


def test_it_is_removed_once_and_again(path: Path, slips: Slips) -> None:
    file = _made(path, slips)
    file.remove()
    file.remove()
    assert list(path.parent.iterdir()) == []


def test_the_file_of_a_worker_that_was_killed_is_taken_over(path: Path, slips: Slips) -> None:
    _made(path, slips)
    HealthFile(str(path), worker_id="w-2", slips=slips, lease=60.0)
    assert _read(path)["worker_id"] == "w-2"


def test_an_empty_file_may_be_there_already(path: Path, slips: Slips) -> None:
    path.touch()
    _made(path, slips)
    assert _read(path)["state"] == "starting"


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/tmp"), Path(__file__)])
def test_what_is_somebody_elses_is_not_overwritten(path: Path, slips: Slips) -> None:
    with pytest.raises(HealthFileRefused, match=f"--health-file {path}: something else is there"):
        _made(path, slips)


def test_a_link_to_a_file_is_not_replaced(path: Path, slips: Slips) -> None:
    path.symlink_to(path.parent / "elsewhere")
    (path.parent / "elsewhere").touch()
    with pytest.raises(HealthFileRefused, match="something else is there"):
        _made(path, slips)


def test_a_path_that_cannot_be_written_is_refused_with_its_reason(tmp_path: Path, slips: Slips) -> None:
    path = tmp_path / "missing" / "health.json"
    with pytest.raises(HealthFileRefused, match=f"{path}: it cannot be written .No such file or directory"):
        _made(path, slips)


def test_what_would_keep_the_writer_waiting_is_refused(path: Path, slips: Slips) -> None:
    os.mkfifo(f"{path}.new")  # opening one waits until somebody reads it, and the loop never waits
    with pytest.raises(HealthFileRefused, match="No such device or address"):
        _made(path, slips)
