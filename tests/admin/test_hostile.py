"""Whatever is stored in whatever column: every page opens, shows it as text, and obeys nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.utils import quote
from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape

from django_jobs.admin.readonly import ReadOnlyAdmin
from django_jobs.models import Attempt, Job, JobError, Queue, WorkerProcess
from tests.admin.conftest import NOW
from tests.admin.hostile import STRINGS, family, fitting
from tests.admin.pages import Inline, list_url, page_url

# The same on every database: what they take and give back is told by the engines' own tests.
pytestmark = pytest.mark.only_on("sqlite")
MODELS = ["job", "attempt", "joberror", "queue", "workerprocess"]
# As columns cut them; what is no markup may stand on a page as it is.
PARTS = sorted({value[:length] for value in STRINGS for length in (10, 12, 16, 20, 100, 160, 200, 255)})
MARKUP = [part for part in PARTS if "<" in part]

Opened = Callable[[HttpResponse], str]


@pytest.fixture
def rows(db: None) -> list[Mapping[str, Any]]:
    """Return a family of rows for each string."""
    return [family(value) for value in STRINGS]


@pytest.fixture
def harmless(admin_client: Client) -> Opened:
    """Return a function that checks an answer and returns its text."""
    own = admin_client.get(list_url("job")).content.decode()
    markup = [part for part in MARKUP if part not in own]
    assert len(markup) > 0.9 * len(MARKUP)

    def checked(response: HttpResponse) -> str:
        url = response.wsgi_request.get_full_path()  # type: ignore[attr-defined]
        assert response.status_code == 200, (url, response.status_code, response.get("Location"))
        text = response.content.decode()
        assert Inline(text).found == [], url
        assert [part for part in markup if part in text] == [], url
        return text

    return checked


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few rows on each page of a list: here it is about what stands around them."""
    monkeypatch.setattr(ReadOnlyAdmin, "list_per_page", 2)


def test_there_are_forty_strings_and_no_two_alike() -> None:
    assert len(set(STRINGS)) == len(STRINGS) == 40


def test_the_check_notices_what_is_not_escaped(admin_client: Client, harmless: Opened) -> None:
    for value in STRINGS[:4]:
        page = admin_client.get(list_url("job"))
        page.content = page.content.replace(b"<body", f"{value}<body".encode())
        with pytest.raises(AssertionError):
            harmless(page)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_shows_them_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]], model: str
) -> None:
    text = harmless(admin_client.get(list_url(model, "all=")))
    assert all(escape(value[:10]) in text.replace("<wbr>", "") for value in STRINGS if value.isascii())


@pytest.mark.parametrize("model", ["strange", *MODELS])
def test_every_page_shows_them_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]], model: str
) -> None:
    for each in rows:
        harmless(admin_client.get(page_url("job" if model == "strange" else model, quote(each[model].pk))))


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        ("job", {"queue": Job, "function": Job, "status": Job}),
        ("joberror", {"exception_type": JobError, "kind": JobError}),
        ("attempt", {"outcome": Attempt}),
    ],
)
@pytest.mark.usefixtures("short_lists")
def test_filters_give_them_back_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]], model: str, columns: dict[str, Any]
) -> None:
    for value in STRINGS:
        query = urlencode({name: fitting(value, of, name) for name, of in columns.items()})
        harmless(admin_client.get(list_url(model, query), follow=True))


@pytest.mark.usefixtures("short_lists")
def test_a_search_gives_them_back_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]]
) -> None:
    for value in STRINGS:
        harmless(admin_client.get(list_url("job", urlencode({"q": value}))))


@pytest.mark.usefixtures("short_lists")
def test_actions_on_jobs_say_and_log_them_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]]
) -> None:
    keys = [str(each[kind].pk) for each in rows for kind in ("job", "strange")]
    data = {"action": "force_cancel", "_selected_action": keys, "index": "0"}
    assert "40 being ended by force, 40 skipped: " in harmless(admin_client.post(list_url("job"), data))
    answer = admin_client.post(list_url("job"), {**data, "confirmed": "yes"}, follow=True)
    assert "40 being ended by force, 40 skipped: " in harmless(answer)
    for each in rows:
        history = page_url("job", each["job"].pk).replace("change", "history")
        assert "To be ended by force." in harmless(admin_client.get(history))
    harmless(admin_client.get("/admin/"))


@pytest.mark.usefixtures("short_lists")
def test_actions_on_queues_say_and_log_them_as_text(
    admin_client: Client, harmless: Opened, rows: list[Mapping[str, Any]]
) -> None:
    names = [each["queue"].pk for each in rows]
    for name in names:
        Job.objects.create(function="f", queue=name, status="dead", run_after=NOW, args="{}")
    for action in ("pause", "resume", "pause"):
        data = {"action": action, "_selected_action": names, "index": "0"}
        harmless(admin_client.post(list_url("queue"), data, follow=True))
    data = {"action": "purge", "_selected_action": names, "index": "0"}
    text = harmless(admin_client.post(list_url("queue"), data))
    assert all(f'value="{escape(name)}"' in text for name in names)
    data = {**data, "confirmed": "yes", "status": "dead"}
    assert "40 purged" in harmless(admin_client.post(list_url("queue"), data, follow=True))
    harmless(admin_client.get("/admin/"))
    for name in names:
        harmless(admin_client.get(page_url("queue", quote(name)).replace("change", "history"), follow=True))


def test_a_name_of_a_row_is_found_again_whatever_is_in_it(
    admin_client: Client, rows: list[Mapping[str, Any]]
) -> None:
    for each in rows:
        for model, kind in [("queue", Queue), ("workerprocess", WorkerProcess)]:
            response = admin_client.get(page_url(model, quote(each[model].pk)))
            assert response.context["original"] == kind.objects.get(pk=each[model].pk)  # type: ignore[attr-defined]
