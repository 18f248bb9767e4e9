"""The door of `manage.py runworker`: what it refuses before there is a worker."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from django_jobs.management.commands import jobs_worker, runworker


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--queues", ""], "--queues: '' is not a list of queue names"),
        (["--queues", "a,,b"], "'a,,b' is not a list of queue names"),
        (["--queues", "mail reports"], "'mail reports' is not a list of queue names"),
        (["--queues", "m" * 101], "is not a list of queue names"),
        (["--exclude", "*"], "--exclude leaves no queue"),
        (["--queues", "mail,m*", "--exclude", "m*"], "--exclude leaves no queue"),
        (["--processes", "0"], "--processes: '0'"),
        (["--processes", "1000"], "1000 is more than"),
        (["--threads", "0"], "--threads: '0' is not a whole number ≥ 1"),
        (["--threads", "2.5"], "--threads: '2.5' is not a whole number ≥ 1"),
        (["--threads", "1001"], "--threads: 1001 is more than 1000"),
        (["--processes", "20", "--threads", "100"], "--processes 20 with --threads 100 are more than 1000"),
        (["--max-jobs", "x"], "--max-jobs: 'x' is not a whole number"),
        (["--poll-interval", "0"], "--poll-interval: '0'"),
        (["--grace", "nan"], "--grace: 'nan'"),
        (["--start-method", "spawn"], "--start-method"),
        (["http.request"], "list 'channels' before 'django_jobs' in INSTALLED_APPS"),
        (["--processes", "3", "thumbnails"], "'thumbnails' is no option"),
        (["--max-seconds", "0"], "--max-seconds: '0' is not a number of seconds"),
        (["--max-jobs-per-runner", "0"], "--max-jobs-per-runner: '0' is not a whole number"),
        (["--max-memory", "lots"], "--max-memory: 'lots' is not an amount of memory like 512M"),
        (
            ["--max-memory", "512"],
            "--max-memory: '512' is not an amount of memory like 512M or 2G, at least 1M",
        ),
        (["--worker-id", ""], "--worker-id: '' is not a name"),
        (["--worker-id", "a b"], "'a b' is not a name"),
        (["--worker-id", "w" * 81], "is not a name of 1 to 80"),
    ],
)
def test_wrong_usage_is_refused_by_name(words: list[str], named: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("runworker", *words)
    assert named in str(caught.value)


def test_the_worker_has_a_name_that_no_other_app_has() -> None:
    assert jobs_worker.Command is runworker.Command
