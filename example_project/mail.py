"""Which mail server the guide uses, in the settings that the installed Django knows."""

from __future__ import annotations

from typing import Any

import django

BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# For each answer of the server. A job's timeout is longer, and is for all of them.
ANSWER_SECONDS = 10


def mail_settings(*, port: int) -> dict[str, Any]:
    """Return the settings for a server on this machine."""
    if django.VERSION >= (6, 1):
        options = {"host": "127.0.0.1", "port": port, "timeout": ANSWER_SECONDS}
        return {"MAILERS": {"default": {"BACKEND": BACKEND, "OPTIONS": options}}}
    # What came before MAILERS, which later versions warn of.
    return {
        "EMAIL_BACKEND": BACKEND,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": port,
        "EMAIL_TIMEOUT": ANSWER_SECONDS,
    }
