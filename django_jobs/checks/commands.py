"""Our commands: whether `manage.py` means them by their names."""

from __future__ import annotations

from django.core.checks import CheckMessage, Warning
from django.core.management import get_commands

APP = "django_jobs"


def check() -> list[CheckMessage]:
    """Say who has taken the name of the worker's command; Channels, for one, has a command of that name."""
    owner = get_commands().get("runworker")
    if owner == APP:
        return []
    message = f"`manage.py runworker` starts no worker for jobs: it is the command of {owner!r}"
    hint = (
        "Start workers with `manage.py jobs_worker`, which is the same command. Or list 'django_jobs' before "
        f"{owner!r} in INSTALLED_APPS: of two commands of one name the first app's is the one that counts."
    )
    return [Warning(message, hint=hint, id="django_jobs.W004")]
