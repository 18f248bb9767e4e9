"""Every word of our pages goes through gettext, so that a translation reaches it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import translation

from django_jobs.models import Job, JobNote, Queue, WorkerProcess
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url

# What is stored is nobody's to translate, and stands in these.
STORED_IN = {"bdi", "pre", "time", "h2", "script", "style", "title"}
STORED_AS = {"jobs-id", "jobs-depths"}
VOID = {"br", "wbr", "hr", "img", "input", "link", "meta", "progress", "path", "use"}
# Symbols of units are the same everywhere; these names are stored, too, and dotted ones are.
NO_WORDS = re.compile(r"\b\d[\d.,]* (ms|s|min|h)\b|\w+(\.\w+)+|\b(mail|default|web|all queues|ValueError)\b")


class Words(HTMLParser):
    """Collect the text of the page's own part that no translation has brought."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.path: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element."""
        if tag not in VOID:
            names = dict(attrs)
            self.path.append((tag, f"{names.get('id')} {names.get('class')}"))

    def handle_endtag(self, tag: str) -> None:
        """Come out of it, and of those that nobody has closed."""
        while any(tag == name for name, _ in self.path) and self.path.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        """Read what is said between the tags."""
        ours = any(names.startswith("content ") for _, names in self.path)
        stored = any(tag in STORED_IN or STORED_AS & set(names.split()) for tag, names in self.path)
        self.text += data if ours and not stored else re.sub(r"[^⟦⟧]", "", data)

    def untranslated(self) -> list[str]:
        """Return the words outside all brackets."""
        outside, depth = "", 0
        for sign in self.text:
            depth += {"⟦": 1, "⟧": -1}.get(sign, 0)
            outside += sign if depth == 0 and sign != "⟧" else " "
        return re.findall(r"[^\W\d_]{2,}", NO_WORDS.sub(" ", outside))


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translate each text into itself, in brackets."""
    ours = translation._trans
    monkeypatch.setattr(ours, "gettext", lambda text: f"⟦{text}⟧")
    monkeypatch.setattr(ours, "pgettext", lambda context, text: f"⟦{text}⟧")
    monkeypatch.setattr(ours, "ngettext", lambda one, many, n: f"⟦{one if n == 1 else many}⟧")
    monkeypatch.setattr(ours, "npgettext", lambda context, one, many, n: f"⟦{one if n == 1 else many}⟧")


@pytest.fixture
def pages(dead_job: Job, make_job: MakeJob) -> list[str]:
    """Return the address of every page, with something of every kind on it."""
    running = make_job(status="running", worker_id="one", claim_token=7, lease=NOW, cancel_requested=1,
                       started_at=NOW, priority=5, round=2, interruptions=1, timeout=None)  # fmt: skip
    JobNote.objects.create(job=running, token=7, updated_at=NOW, progress_current=3, log="a", meta="{}")
    done = make_job(result_data="{no json", replay_of=dead_job.pk, options="{}")
    Queue.objects.create(name="mail", paused_at=NOW)
    WorkerProcess.objects.create(id="one", hostname="web", pid=71, queues="all queues", slots=2,
                                 version="0.1.0", started_at=NOW, seen_at=NOW)  # fmt: skip
    rows = [("job", dead_job), ("job", running), ("job", done), ("attempt", dead_job.attempt_set.all()[0]),
            ("joberror", dead_job.errors[0]), ("queue", Queue(name="mail")),
            ("workerprocess", WorkerProcess(id="one"))]  # fmt: skip
    lists = [list_url(model) for model in ("job", "attempt", "joberror", "queue", "workerprocess")]
    return [*lists, list_url("job", "status=ready"), *(page_url(model, quote(row.pk)) for model, row in rows)]


def test_no_word_of_a_page_is_outside_gettext(admin_client: Client, pages: list[str], pseudo: None) -> None:
    for url in pages:
        page = Words(opened(admin_client, url))
        assert "⟦" in page.text
        assert page.untranslated() == [], url


@pytest.mark.parametrize("action", ["requeue", "force_cancel", "purge"])
def test_nor_of_what_is_asked_and_answered(
    admin_client: Client, dead_job: Job, pseudo: None, action: str
) -> None:
    model, key = ("queue", dead_job.queue) if action == "purge" else ("job", str(dead_job.pk))
    post = {"action": action, "_selected_action": [key], "index": "0"}
    response = admin_client.post(list_url(model), post, follow=True)
    assert Words(response.content.decode()).untranslated() == []
    if action == "requeue":
        assert "⟦1 requeued⟧" in response.content.decode()


def test_the_search_for_words_finds_one() -> None:
    assert Words('<div id="content"><p>⟦said⟧ and</p> 2.0 s</div>').untranslated() == ["and"]
