"""A database's error as a sentence that tells what to do about it."""

from __future__ import annotations

from django.db import Error

from django_jobs.engines.transient import Code, code_of

_ENTRY = "check DATABASES[{alias!r}]"
_MIGRATE = "run `manage.py migrate --database {alias}`"
_RIGHTS = "grant the rights to the USER of DATABASES[{alias!r}]"
_READ_ONLY = "the database is read-only: make it writable"
_DISK = "free space on the disk"
_MANY = "allow more connections on the server, or use fewer"
_ADVICE: dict[Code, str] = {
    Code("postgresql", "28P01"): _ENTRY,
    Code("postgresql", "28000"): _ENTRY,
    Code("postgresql", "3D000"): _ENTRY,
    Code("postgresql", "42P01"): _MIGRATE,
    Code("postgresql", "42703"): _MIGRATE,
    Code("postgresql", "42501"): _RIGHTS,
    Code("postgresql", "25006"): _READ_ONLY,
    Code("postgresql", "53100"): _DISK,
    Code("postgresql", "53300"): _MANY,
    Code("mysql", 1044): _RIGHTS,
    Code("mysql", 1045): _ENTRY,
    Code("mysql", 1698): _ENTRY,
    Code("mysql", 1130): _ENTRY,
    Code("mysql", 1049): _ENTRY,
    Code("mysql", 1054): _MIGRATE,
    Code("mysql", 1146): _MIGRATE,
    Code("mysql", 1142): _RIGHTS,
    Code("mysql", 1290): _READ_ONLY,
    Code("mysql", 1792): _READ_ONLY,
    Code("mysql", 1836): _READ_ONLY,
    Code("mysql", 1021): _DISK,
    Code("mysql", 1114): _DISK,
    Code("mysql", 1040): _MANY,
    Code("mysql", 1203): _MANY,
    Code("mysql", 2002): "is the server up? " + _ENTRY,
    Code("mysql", 2003): "is the server up? " + _ENTRY,
    Code("sqlite", 1): _MIGRATE,  # no such table or column; our statements have no other fault of this number
    Code("sqlite", 5): "another process holds its lock",
    Code("sqlite", 8): "make the file and its folder writable for this user",
    Code("sqlite", 13): _DISK,
    Code("sqlite", 14): "is the folder there, and writable? " + _ENTRY,
    Code("sqlite", 26): _ENTRY,
}
# PostgreSQL refuses a connection without a number, whatever the reason.
_WITHOUT_NUMBER = "is the server up? " + _ENTRY


def sentence(error: Error, alias: str) -> str:
    """Return what the database said, in one line, and what can be done about it.

    Args:
        error: as Django raised it.
        alias: the database it came from.
    """
    said = " ".join((_text(error) or type(error).__name__).split())
    code = code_of(error)
    advice = _ADVICE.get(code, "") if code else _WITHOUT_NUMBER
    return f"{said} ({advice.format(alias=alias)})" if advice else said


def _text(error: Error) -> str:
    # The MySQL drivers' errors are pairs of number and text.
    return str(error.args[1]) if len(error.args) == 2 else str(error)
