"""The demo with two workers while its database goes away in the middle: nothing is lost, no worker ends."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from tests.example.guide import CROWD, HUNG, Guide, wait_until
from tests.processes.conftest import children
from tests.servers import Server

pytestmark = [pytest.mark.timeout(400), pytest.mark.faults(from_tier=1)]
HELD_SECONDS = 4


@pytest.mark.only_on("postgresql", "mariadb")
def test_a_server_stopped_and_then_killed_in_the_middle_loses_nothing(server: Server, guide: Guide) -> None:
    guide.server = server
    demo = guide.start("--workers", "2")
    wait_until(guide.in_the_middle)
    workers = children(demo.pid)
    server.stop()
    server.start()
    guide.go_on()
    server.kill()
    server.start()
    guide.go_on()
    assert children(demo.pid) == workers
    output = guide.finish(demo)
    assert len(workers) == 2
    assert "A worker" not in output
    assert "The database answers again" in output
    guide.assert_nothing_lost()
    assert (guide.hung(), guide.crowd()) == (HUNG, CROWD)


@pytest.mark.only_on("sqlite")
def test_a_file_locked_by_a_stranger_for_seconds_loses_nothing(guide: Guide) -> None:
    demo = guide.start("--workers", "2")
    wait_until(guide.in_the_middle)
    workers = children(demo.pid)
    with closing(sqlite3.connect(guide.file, timeout=20, isolation_level=None)) as stranger:
        stranger.execute("BEGIN EXCLUSIVE")
        before = guide.count("airports_import")
        time.sleep(HELD_SECONDS)
        assert guide.count("airports_import") == before
        stranger.execute("ROLLBACK")
    guide.go_on()
    assert children(demo.pid) == workers
    output = guide.finish(demo)
    assert len(workers) == 2
    assert "A worker" not in output
    guide.assert_nothing_lost()
    assert (guide.hung(), guide.crowd()) == (HUNG, CROWD)
