from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.core import checks
from django.core.management import get_commands
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

from django_jobs import job, registry
from django_jobs.checks import commands
from django_jobs.conf import conf
from django_jobs.engines.postgresql import configuration as postgresql
from django_jobs.engines.sqlite import SQLiteEngine, configuration
from tests.serializers.making import PLACE


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no job functions but those of the test."""
    monkeypatch.setattr(registry, "_functions", {})
    monkeypatch.setattr(registry, "_discovered", True)


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


def test_an_alias_for_listening_that_is_none_is_refused():
    with override_settings(DJANGO_JOBS={"LISTEN_ALIAS": "direkt"}):
        assert "an alias of DATABASES or None, not 'direkt'" in messages()["django_jobs.E002"].msg


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


def test_no_check_opens_a_connection():
    refuse = mock.patch.object(BaseDatabaseWrapper, "connect", side_effect=OperationalError("away"))
    connections["default"].close()
    with refuse, override_settings(**ELSEWHERE):
        assert set(messages()) == {"django_jobs.I001", "django_jobs.W001"}


ROUTER = ["django_jobs.JobsRouter"]
ELSEWHERE = {"DATABASE_ROUTERS": ROUTER, "DJANGO_JOBS": {"DATABASE": "replica"}}


class TestDatabase:
    def test_an_alias_that_is_none_is_refused(self):
        with override_settings(DATABASE_ROUTERS=ROUTER, DJANGO_JOBS={"DATABASE": "jbos"}):
            assert "must be an alias of DATABASES or None, not 'jbos'" in messages()["django_jobs.E002"].msg

    @pytest.mark.parametrize("routers", [[], ["tests.routers.ReadsFromReplica", *ROUTER]])
    def test_an_alias_that_no_router_leads_to_is_an_error_with_the_router_to_paste(self, routers):
        with override_settings(DATABASE_ROUTERS=routers, DJANGO_JOBS={"DATABASE": "replica"}):
            found = messages()
        assert set(found) == {"django_jobs.E005"}
        assert "keep jobs on 'default'" in found["django_jobs.E005"].msg
        assert 'DATABASE_ROUTERS = ["django_jobs.JobsRouter"]' in found["django_jobs.E005"].hint

    def test_a_router_without_an_alias_is_warned_of(self):
        with override_settings(DATABASE_ROUTERS=ROUTER):
            assert set(messages()) == {"django_jobs.W003"}

    def test_a_queue_beside_the_data_is_told_with_what_to_call_then(self):
        with override_settings(**ELSEWHERE):
            told = messages()["django_jobs.I001"]
        assert told.level == checks.INFO
        assert "'replica'" in told.msg
        assert "enqueue_on_commit" in told.hint
        with override_settings(DATABASE_ROUTERS=ROUTER, DJANGO_JOBS={"DATABASE": "default"}):
            assert messages() == {}

    @pytest.mark.parametrize(("age", "refused"), [(60, True), (None, True), (0, False)])
    def test_a_pool_and_lasting_connections_do_not_go_together(self, age, refused):
        with configured(OPTIONS={"pool": True}, CONN_MAX_AGE=age):
            found = [each.id for each in postgresql.check(connections["default"])]
        assert found == (["django_jobs.E006"] if refused else [])

    def test_without_a_pool_connections_may_last(self):
        with configured(CONN_MAX_AGE=60):
            assert postgresql.check(connections["default"]) == []


class TestFunctions:
    def test_those_without_a_time_limit_are_named(self):
        job(_for_ever, timeout=None)
        job(_for_a_minute, timeout=60)
        job(_as_the_project_says)
        told = messages()["django_jobs.I003"]
        assert told.level == checks.INFO
        assert told.msg.endswith(": tests.test_checks._for_ever")

    def test_of_many_without_a_limit_some_are_named_and_the_others_counted(self):
        for number in range(23):
            job(_for_ever, name=f"f{number:02}", timeout=None)
        assert messages()["django_jobs.I003"].msg.endswith(", f19 and 3 more")

    def test_a_project_without_a_time_limit_is_told(self):
        with override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": {"timeout": None}}):
            assert '"DEFAULT_OPTIONS": {"timeout": 300}' in messages()["django_jobs.I002"].hint
        with override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": {"timeout": 60}}):
            assert messages() == {}

    def test_a_module_that_cannot_be_imported_is_warned_of(self, monkeypatch):
        monkeypatch.setattr(registry, "_discovered", False)
        with override_settings(DJANGO_JOBS={"IMPORTS": ["shop.nowhere"]}):
            warning = messages()["django_jobs.W005"]
        assert warning.level == checks.WARNING
        assert "No module named 'shop'" in warning.msg
        assert "DJANGO_JOBS['IMPORTS'] names 'shop.nowhere'" in warning.msg


def _for_ever() -> None:
    """Have no limit."""


def _for_a_minute() -> None:
    """Have a limit."""


def _as_the_project_says() -> None:
    """Have the default limit."""


class TestCommands:
    @pytest.mark.parametrize(
        ("order", "found"),
        [(["channels", "django_jobs"], ["django_jobs.W004"]), (["django_jobs", "channels"], [])],
    )
    def test_an_app_whose_runworker_comes_before_ours_is_warned_of(self, tmp_path, monkeypatch, order, found):
        folder: Path = tmp_path / "channels" / "management" / "commands"
        folder.mkdir(parents=True)
        (folder / "runworker.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(commands, "get_commands", get_commands.__wrapped__)
        with override_settings(INSTALLED_APPS=order):
            assert [each.id for each in commands.check()] == found

    def test_the_text_names_who_it_is_and_what_to_call(self, monkeypatch):
        monkeypatch.setattr(commands, "get_commands", lambda: {"runworker": "channels"})
        warning = messages()["django_jobs.W004"]
        assert "'channels'" in warning.msg
        assert "manage.py jobs_worker" in warning.hint


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

    def test_a_database_in_memory_is_warned_of(self):
        with configured(NAME=":memory:", OPTIONS={}):
            found = messages()
        assert set(found) == {"django_jobs.W002"}
        assert "DATABASES['default'] a file" in found["django_jobs.W002"].hint

    def test_the_database_in_memory_of_a_test_run_is_left_alone(self):
        with configured(TEST={**connections["default"].settings_dict["TEST"], "NAME": None}):
            name = connections["default"].creation._get_test_db_name()
            assert "mode=memory" in name
            with configured(NAME=name, OPTIONS={}):
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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"SERIALIZERS": ["cloudpickel"]},
            "DJANGO_JOBS[\"SERIALIZERS\"]: the serializer 'cloudpickel' cannot be had",
        ),
        (
            {"DEFAULT_OPTIONS": {"serializer": "no.Such"}},
            "DJANGO_JOBS[\"DEFAULT_OPTIONS\"]: the serializer 'no.Such'",
        ),
        ({"SERIALIZERS": [f"{PLACE}Mute"]}, "is no serializer: it lacks dumps(value)"),
        ({"SERIALIZERS": [f"{PLACE}Marshal", f"{PLACE}Twin"]}, "are both called 'marshal'"),
    ],
)
def test_a_serializer_that_cannot_be_had_is_an_error(given, said):
    with override_settings(DJANGO_JOBS=given):
        assert said in messages()["django_jobs.E007"].msg


def test_a_function_whose_serializer_cannot_be_had_is_named():
    def send(): ...

    send.__qualname__ = "send"
    job(send, serializer=f"{PLACE}Nameless")
    found = messages()["django_jobs.E007"]
    assert found.msg.startswith("tests.test_checks.send: ")
    assert "dumps(value) -> bytes" in found.hint
    with override_settings(DJANGO_JOBS={"SERIALIZERS": ["cloudpickle", f"{PLACE}Marshal"]}):
        job(send, serializer="cloudpickle", name="other")
        assert (
            len([each for each in checks.run_checks(tags=["django_jobs"]) if each.id == "django_jobs.E007"])
            == 1
        )
