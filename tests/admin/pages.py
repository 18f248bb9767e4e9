"""Opening pages as a test does it: by name, with what must never be on one."""

from __future__ import annotations

from html.parser import HTMLParser

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse


class Inline(HTMLParser):
    """Collect what a strict content security policy would block."""

    ADDRESSES = ("href", "src", "action", "formaction")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            script = name in self.ADDRESSES and (value or "").lower().startswith(("javascript:", "data:"))
            if name == "style" or name.startswith("on") or script:
                self.found.append(f"<{tag} {name}={value!r}>")


def list_url(model: str, query: str = "", *, site: str = "admin") -> str:
    """Return the address of a model's list."""
    return reverse(f"{site}:django_jobs_{model}_changelist") + (f"?{query}" if query else "")


def page_url(model: str, pk: object, *, site: str = "admin") -> str:
    """Return the address of a row's page."""
    return reverse(f"{site}:django_jobs_{model}_change", args=[pk])


def opened(client: Client, url: str) -> str:
    """Return the page's text; it must open, and bring no script or style of its own."""
    response: HttpResponse = client.get(url)
    assert response.status_code == 200, (url, response.status_code, response.get("Location"))
    text = response.content.decode()
    assert Inline(text).found == []
    return text
