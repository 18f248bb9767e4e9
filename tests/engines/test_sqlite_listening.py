"""What SQLite's listeners hear, with inotify and without."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, connections

from django_jobs.engines.listening import ANY_QUEUE
from django_jobs.engines.sqlite import SQLiteEngine, inotify, listening
from django_jobs.engines.sqlite.inotify import FileWatch
from django_jobs.engines.sqlite.listening import DataVersion, VersionListener, WalListener
from django_jobs.models import Job
from tests.engines.conformance.listening import TestWakeUps, elsewhere, news  # noqa: F401
from tests.engines.conformance.making import enqueue

pytestmark = pytest.mark.only_on("sqlite")


class WithoutInotify(SQLiteEngine):
    """SQLite where the kernel has no watch left."""

    def listener(self) -> VersionListener:
        with mock.patch.object(inotify._libc, "inotify_init1", _no_watch_left):
            made = super().listener()
        assert isinstance(made, VersionListener)
        return made


def _no_watch_left(*_: object) -> int:
    ctypes.set_errno(errno.ENOSPC)
    return -1


@pytest.fixture(params=[SQLiteEngine, WithoutInotify])
def engine(request: pytest.FixtureRequest) -> SQLiteEngine:
    """Return SQLite's engine as it is, and as it is without inotify."""
    return request.param("default")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[Path, FileWatch]]:
    """Return a file and its watch."""
    path = tmp_path / "file"
    path.touch()
    watch = FileWatch(path)
    yield path, watch
    watch.close()


class TestFileWatch:
    def test_a_write_is_reported_once(self, written):
        path, watch = written
        assert not watch.written()
        path.write_text("x")
        assert watch.written()
        assert not watch.written()

    def test_reading_and_touching_are_no_writes(self, written):
        path, watch = written
        path.read_text()
        os.utime(path)
        assert not watch.written()

    def test_more_news_than_are_read_at_once_lose_nothing(self, written):
        path, watch = written
        with path.open("ab", buffering=0) as file:
            for _ in range(1000):
                file.write(b"x")
                os.utime(path)  # between equal events the kernel merges none
        reads = 0
        while watch.written():
            reads += 1
        assert reads > 1
        path.write_text("again")
        assert watch.written()

    def test_a_file_that_is_deleted_is_an_error(self, written):
        path, watch = written
        path.unlink()
        with pytest.raises(FileNotFoundError, match="was deleted"):
            watch.written()

    def test_a_file_that_is_not_there_is_an_error(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nothing"):
            FileWatch(tmp_path / "nothing")

    def test_a_kernel_without_watches_left_is_an_error_and_leaves_nothing_open(self, tmp_path):
        before = os.listdir("/proc/self/fd")
        with (
            mock.patch.object(inotify._libc, "inotify_add_watch", _no_watch_left),
            pytest.raises(OSError, match="No space left") as raised,
        ):
            FileWatch(tmp_path)
        assert raised.value.errno == errno.ENOSPC
        assert os.listdir("/proc/self/fd") == before

    def test_a_file_system_that_does_not_report_is_an_error(self, tmp_path):
        (path := tmp_path / "file").touch()
        with mock.patch("os.utime"), pytest.raises(OSError, match="does not report"):
            FileWatch(path)

    def test_closing_twice_closes_no_descriptor_of_somebody_else(self, written):
        _, watch = written
        fd = watch.fileno()
        watch.close()
        read, write = os.pipe()
        assert fd in (read, write)
        watch.close()
        os.close(read)
        os.close(write)


@pytest.mark.django_db(transaction=True)
class TestChoice:
    def test_with_wal_and_inotify_the_kernel_is_asked(self):
        listener = SQLiteEngine("default").listener()
        assert isinstance(listener, WalListener)
        assert listener.next_at == float("inf")
        listener.close()

    def test_without_wal_the_version_is_asked_for_and_the_log_says_so(self, caplog):
        engine = SQLiteEngine("default")
        connection.ensure_connection()
        caplog.set_level("INFO", "django_jobs")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = DELETE")
            listener = engine.listener()
            cursor.execute("PRAGMA journal_mode = WAL")
        assert isinstance(listener, VersionListener)
        assert "asking each 0.05 s" in caplog.text
        assert "journal mode is delete" in caplog.text

    def test_a_database_in_memory_has_nobody_to_hear(self):
        engine = SQLiteEngine("default")
        with mock.patch.object(type(connections["default"]), "is_in_memory_db", return_value=True):
            assert engine.listener().next_at == float("inf")
            assert engine.listener().fileno() is None


@pytest.mark.django_db(transaction=True)
class TestOwnWrites:
    def test_a_worker_s_own_writes_do_not_wake_it(self, engine, listener):
        enqueue(engine)
        assert news(listener, patience=0.2) == frozenset()
        elsewhere(lambda: Job.objects.update(reason="by somebody"))
        assert news(listener) == {ANY_QUEUE}

    def test_a_write_whose_commit_comes_later_is_asked_about_again(self, engine):
        version = mock.Mock(DataVersion, changed=mock.Mock(side_effect=[False, False, True]))
        watch = mock.Mock(FileWatch, written=mock.Mock(side_effect=[True] + [False] * 100))
        assert news(WalListener(version, watch=_without_fileno(watch))) == {ANY_QUEUE}
        assert version.changed.call_count == 3

    def test_of_two_writes_told_as_one_both_commits_are_heard(self):
        version = mock.Mock(DataVersion, changed=mock.Mock(side_effect=[True, False, True] + [False] * 9))
        watch = mock.Mock(FileWatch, written=mock.Mock(side_effect=[True] + [False] * 100))
        listener = WalListener(version, watch=_without_fileno(watch))
        assert [news(listener), news(listener)] == [{ANY_QUEUE}] * 2

    def test_a_write_without_a_commit_is_asked_about_a_few_times_only(self, engine, monkeypatch):
        # By a clock that stands still while this process does, as it may on a busy machine.
        monkeypatch.setattr(listening, "boottime", count(step=0.001).__next__)
        version = mock.Mock(DataVersion, changed=mock.Mock(return_value=False))
        watch = mock.Mock(FileWatch, written=mock.Mock(side_effect=[True] + [False] * 100))
        listener = WalListener(version, watch=_without_fileno(watch))
        heard = {listener.heard() for _ in range(100)}
        assert heard == {frozenset()}
        assert 2 <= version.changed.call_count <= 6
        assert listener.next_at == float("inf")


def _without_fileno(watch: mock.Mock) -> mock.Mock:
    watch.fileno.return_value = None
    return watch
