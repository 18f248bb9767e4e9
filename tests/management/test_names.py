"""Names given to `manage.py jobs`: refused where no queue and no function can have them."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

UNPRINTABLE = ["\udcff", "\x00", "two\nlines"]  # the first is what a shell's byte that is no UTF-8 becomes


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["mail*", "a,b", "my mail", "", "m" * 101, *UNPRINTABLE])
@pytest.mark.parametrize(
    "words",
    [
        ["purge", "--yes", "--"],
        ["list", "--queue"],
        ["cancel", "--status", "ready", "--queue"],
        ["queues", "--pause"],
    ],
)
def test_what_can_be_no_queue_s_name_is_refused(words: list[str], name: str) -> None:
    with pytest.raises(CommandError, match="a queue's name must be 1 to 100 printable characters"):
        call_command("jobs", *words, name)


@pytest.mark.django_db
@pytest.mark.parametrize("part", UNPRINTABLE)
@pytest.mark.parametrize("words", [["list"], ["cancel", "--status", "ready"]])
def test_what_can_be_no_part_of_a_function_s_name_is_refused(words: list[str], part: str) -> None:
    with pytest.raises(CommandError, match="a function's name has printable characters only, not "):
        call_command("jobs", *words, "--function", part)
