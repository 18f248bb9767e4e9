"""What a newcomer is told when the database fails: in one line, with what to do."""

from __future__ import annotations

import pytest
from django.db import Error, OperationalError, connection

from django_jobs.engines.advice import sentence


def test_a_server_that_is_not_reached_is_asked_for_with_the_settings_entry() -> None:
    error = OperationalError('connection failed:\n  FATAL: password authentication failed for user "shop"')
    assert sentence(error, "jobs") == (
        'connection failed: FATAL: password authentication failed for user "shop" '
        "(is the server up? check DATABASES['jobs'])"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperationalError(1045, "Access denied"), "Access denied (check DATABASES['default'])"),
        (OperationalError(1205, "Lock wait timeout"), "Lock wait timeout"),
        (OperationalError(0, ""), "OperationalError"),
    ],
)
def test_a_pair_of_number_and_text_is_said_as_the_text(error: Error, said: str) -> None:
    assert sentence(error, "default").startswith(said)


def test_an_error_without_words_is_named() -> None:
    assert sentence(OperationalError(), "default").startswith("OperationalError")


@pytest.mark.django_db(transaction=True)
def test_a_missing_table_is_told_with_the_command_that_makes_it() -> None:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nothing_of_the_sort")
    said = sentence(caught.value, "default")
    assert "nothing_of_the_sort" in said
    assert "`manage.py migrate --database default`" in said
    assert "\n" not in said


@pytest.mark.only_on("postgresql", "mariadb")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "entry",
    [
        {"USER": "nobody_of_the_sort", "PASSWORD": "wrong"},
        {"NAME": "nothing_of_the_sort"},
        {"HOST": "127.0.0.1", "PORT": "1"},
    ],
)
def test_a_wrong_entry_is_told_with_its_name(entry: dict[str, str]) -> None:
    away = connection.copy()
    away.settings_dict.update(entry)
    with pytest.raises(Error) as caught:
        away.ensure_connection()
    assert "check DATABASES['default']" in sentence(caught.value, "default")
