from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.core import checks
from django.db import connections
from django.test import override_settings

from django_jobs.conf import conf
from django_jobs.engines.sqlite import SQLiteEngine, configuration


def messages() -> dict[str, checks.CheckMessage]:
    return {message.id: message for message in checks.run_checks(tags=["django_jobs"])}


@contextmanager
def configured(**values):
    settings = connections["default"].settings_dict
    with mock.patch.dict(settings, values):
        yield


def test_the_tests_own_project_has_nothing_to_complain_about():
    assert messages() == {}


def test_naive_times_are_refused():
    with override_settings(USE_TZ=False):
        assert "USE_TZ = True" in messages()["django_jobs.E001"].msg


def test_every_wrong_setting_is_an_error_of_its_own():
    with override_settings(DJANGO_JOBS={"LEASE": 0, "LEES": 3}):
        found = [message.msg for message in checks.run_checks(tags=["django_jobs"])]
    assert len(found) == 2
    assert any("LEASE" in text and "≥ 1" in text for text in found)
    assert any("no setting 'LEES'" in text for text in found)


@pytest.mark.parametrize("value", [10**400, 1e300, float("inf"), float("nan"), -1, True, "5"])
@pytest.mark.parametrize("name", ["LEASE", "RESCUE_INTERVAL", "POLL_INTERVAL", "SHUTDOWN_GRACE"])
def test_a_time_that_no_clock_can_add_is_refused(name, value):
    with override_settings(DJANGO_JOBS={name: value}):
        assert "at most a year" in messages()["django_jobs.E002"].msg


@pytest.mark.parametrize(
    ("options", "named"),
    [({"queu": "mail"}, "queu"), ({"max_attempts": 0}, "max_attempts"), ({"name": "x"}, "name")],
)
def test_a_default_option_that_options_refuse_is_an_error(options, named):
    with override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": options}):
        assert named in messages()["django_jobs.E003"].msg


@pytest.mark.only_on("sqlite")
class TestSQLite:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"transaction_mode": "DEFERRED", "init_command": "PRAGMA journal_mode=WAL;"},
            {"transaction_mode": "IMMEDIATE"},
        ],
    )
    def test_options_that_let_writers_fail_are_warned_of_with_the_text_to_paste(self, options):
        with configured(OPTIONS=options):
            warning = messages()["django_jobs.W001"]
        assert warning.level == checks.WARNING
        assert (
            'OPTIONS={"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": '
            '"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}'
        ) in warning.hint

    def test_the_text_to_paste_silences_the_warning(self):
        pasted = eval(f"dict({configuration.OPTIONS})")
        with configured(**pasted):
            assert messages() == {}

    def test_a_database_in_memory_is_left_alone(self):
        with configured(NAME=":memory:", OPTIONS={}):
            assert messages() == {}

    def test_a_sqlite_without_returning_is_refused(self):
        with mock.patch.object(sqlite3, "sqlite_version_info", (3, 34, 1)):
            assert "3.34.1" in messages()["django_jobs.E004"].msg

    def test_the_check_does_not_connect(self):
        connection = connections["default"]
        connection.close()
        assert SQLiteEngine("default").check() == []
        assert connection.connection is None


@pytest.mark.parametrize(
    "retention",
    [
        {},
        {"completed": 0, "cancelled": 1.5, "dead": None},
        {"dead": timedelta(days=365)},
        {"completed": None},
    ],
)
def test_a_retention_may_be_partial_and_of_seconds_or_a_timedelta(retention):
    with override_settings(DJANGO_JOBS={"RETENTION": retention}):
        assert messages() == {}
        kept = conf().retention
    week = 7 * 24 * 3600
    default = {"completed": week, "cancelled": week, "dead": None}
    given = {name: getattr(age, "total_seconds", lambda age=age: age)() for name, age in retention.items()}
    assert kept == {**default, **given}


@pytest.mark.parametrize(
    "retention",
    [
        None,
        60,
        {"ready": 60},
        {"complete": 60},
        {None: 60},
        {"dead": -1},
        {"dead": timedelta(seconds=-1)},
        {"dead": "7d"},
        {"dead": True},
        {"dead": float("nan")},
        {"dead": float("inf")},
        {"dead": 10**400},
        {"dead": timedelta.max},
    ],
)
def test_a_wrong_retention_is_refused_by_name(retention):
    with override_settings(DJANGO_JOBS={"RETENTION": retention}):
        said = messages()["django_jobs.E002"].msg
    assert "DJANGO_JOBS['RETENTION'] must be a dict of completed, cancelled, dead to seconds" in said
