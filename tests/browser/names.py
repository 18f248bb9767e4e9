"""What the site and those who open it have to know of each other, and what needs no Django."""

from __future__ import annotations

USER = "ada"
PASSWORD = "countess"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")

# Every page of ours, by what it shows. Those about single rows are told by the site.
LISTS = {
    "jobs": "job/",
    "dead jobs": "job/?status=dead",
    "no jobs": "job/?q=nothing.like.it",
    "attempts": "attempt/",
    "errors": "joberror/",
    "queues": "queue/",
    "queue": "queue/mail/change/",
    "workers": "workerprocess/",
}
ROWS = ("dead job", "completed job", "running job", "waiting job", "attempt", "error", "worker", "history")
