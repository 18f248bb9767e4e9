"""Names as they are given to a subcommand: what no queue and no function can be called is refused at once."""

from __future__ import annotations

from argparse import ArgumentTypeError

from django_jobs.options import checks


def queue(text: str) -> str:
    """Return the whole name of a queue, whether there is such a one or not; a pattern is none."""
    try:
        return checks.queue("a queue's name", text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def part_of_function(text: str) -> str:
    """Return what a job function's name is to contain."""
    # A byte of the shell's that is no UTF-8 comes as half a character, which no driver can send.
    if not text.isprintable():
        raise ArgumentTypeError(f"a function's name has printable characters only, not {text!r}")
    return text
