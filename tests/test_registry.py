"""Only what is registered can run, and each name means one function."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tests.jobs
from django_jobs import DuplicateJobFunction, UnknownJobFunction, job, registry
from django_jobs.functions import JobFunction


@pytest.fixture(autouse=True)
def untouched_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test register what it likes."""
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    monkeypatch.setattr(registry, "_discovered", registry._discovered)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that writes a module and says its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        return name

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_a_job_function_is_found_by_its_name() -> None:
    assert registry.find("tests.jobs.add") is tests.jobs.add


def test_an_unknown_name_says_which_are_near() -> None:
    with pytest.raises(
        UnknownJobFunction, match=r"no job function is named 'tests.jobs.ad'.*tests\.jobs\.add"
    ):
        registry.find("tests.jobs.ad")


def test_an_importable_name_that_is_not_registered_is_unknown() -> None:
    with pytest.raises(UnknownJobFunction):
        registry.find("os.system")


def test_two_functions_of_one_name_are_an_error() -> None:
    with pytest.raises(DuplicateJobFunction, match=r"already a job function named 'tests\.jobs\.add'"):
        job(len, name="tests.jobs.add")


def test_two_functions_of_one_name_in_one_module_are_an_error(module: Any) -> None:
    text = "from django_jobs import job\n@job\ndef a(): return 1\n@job\ndef a(): return 2\n"
    with pytest.raises(DuplicateJobFunction, match=r"twice\.a"):
        importlib.import_module(module("twice", text))


def test_one_function_under_two_sets_of_options_needs_two_names() -> None:
    job(max, name="biggest")
    with pytest.raises(DuplicateJobFunction):
        job(max, name="biggest", queue="other")
    assert job(max, name="biggest-slow", queue="slow").options.queue == "slow"


def test_a_reloaded_module_replaces_its_functions(module: Any) -> None:
    loaded = importlib.import_module(
        module("again", "from django_jobs import job\n@job\ndef a(): return 1\n")
    )
    before = loaded.a
    importlib.reload(loaded)
    assert registry.find("again.a") is loaded.a is not before


def test_jobs_and_tasks_of_installed_apps_are_discovered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})
    monkeypatch.setattr(registry, "_discovered", False)
    monkeypatch.delitem(sys.modules, "tests.jobs")
    assert registry.find("tests.jobs.add").name in registry.names()


def test_modules_named_in_the_settings_are_discovered(module: Any, settings: Any) -> None:
    settings.DJANGO_JOBS = {
        "IMPORTS": [module("elsewhere", "from django_jobs import job\n@job\ndef a(): ...\n")]
    }
    registry._discovered = False
    assert isinstance(registry.find("elsewhere.a"), JobFunction)


def test_a_module_that_is_not_there_is_traced_to_the_setting_that_names_it(settings: Any) -> None:
    settings.DJANGO_JOBS = {"IMPORTS": ["nowhere.jobs"]}
    registry._discovered = False
    with pytest.raises(ModuleNotFoundError) as caught:
        registry.autodiscover()
    assert caught.value.__notes__ == ["DJANGO_JOBS['IMPORTS'] names 'nowhere.jobs'"]


def test_discovering_again_imports_nothing(module: Any, settings: Any) -> None:
    registry.autodiscover()
    settings.DJANGO_JOBS = {"IMPORTS": [module("late", "raise RuntimeError")]}
    registry.autodiscover()
    assert "late" not in sys.modules


def test_a_module_that_fails_says_so_each_time_and_works_once_mended(module: Any, settings: Any) -> None:
    text = "from django_jobs import job\n@job\ndef a(): ...\n"
    settings.DJANGO_JOBS = {"IMPORTS": [module("half", text + "raise RuntimeError('broken module')\n")]}
    registry._discovered = False
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken module"):
            registry.autodiscover()
    module("half", text)
    registry.autodiscover()
    assert registry.find("half.a").name == "half.a"
