"""How values look on the pages; everything stored is hostile text until it is escaped here."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EMPTY = "—"
SHOWN = 50_000
SIGNS = {
    "waiting": "‖",
    "scheduled": "◔",
    "ready": "○",
    "running": "▶",
    "completed": "✓",
    "dead": "✕",
    "cancelled": "⊘",
    "failed": "✕",
    "timed out": "◕",
    "crashed": "!",
    "interrupted": "↺",
    "open": "○",
    "paused": "‖",
    "alive": "✓",
    "unseen": "!",
}


def badge(value: str, label: str) -> SafeString:
    """Return a state or outcome as a sign and a word; the colour only adds to them."""
    css = value.replace(" ", "-") if value in SIGNS else "unknown"
    return format_html(
        '<span class="jobs-badge jobs-{}"><span aria-hidden="true">{}</span> {}</span>',
        css,
        SIGNS.get(value, "?"),
        label or EMPTY,
    )


def moment(value: datetime | None) -> SafeString | str:
    """Return a time to the second, in the current time zone."""
    if value is None:
        return EMPTY
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:%Y-%m-%d %H:%M:%S}")


def seconds(value: float | None) -> str:
    """Return a duration as a person says it: 12 ms, 3.4 s, 2 min 5 s, 3 h 20 min."""
    if value is None:
        return EMPTY
    if not math.isfinite(value):
        return str(value)
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if round(value, 1) < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def text(value: str | None) -> SafeString | str:
    """Return stored text kept apart from the direction of what stands around it."""
    return format_html("<bdi>{}</bdi>", value) if value else EMPTY


def code(value: str) -> SafeString | str:
    """Return an identifier, as it is typed; a long dotted one breaks after a dot."""
    if not value:
        return EMPTY
    parts = format_html_join(mark_safe(".<wbr>"), "{}", ((part,) for part in value.split(".")))
    return format_html('<bdi class="jobs-code">{}</bdi>', parts)


def stacked(name: SafeString | str, job_id: object, more: str | None = None) -> SafeString:
    """Return a job's name with its id below it and, below that, one thing more."""
    below = format_html('<bdi class="jobs-below">{}</bdi>', more) if more else ""
    return format_html('{} <span class="jobs-id">{}</span>{}', name, job_id, below)


def block(value: str | None) -> SafeString | str:
    """Return text of many lines as written, cut where a page would choke on it."""
    if not value:
        return EMPTY
    rest = len(value) - SHOWN
    more = ngettext("… and %(n)s more character", "… and %(n)s more characters", rest) % {"n": f"{rest:,}"}
    return format_html(
        '<pre class="jobs-block" dir="auto" tabindex="0">{}</pre>{}', value[:SHOWN], more if rest > 0 else ""
    )


def stored_json(value: str | None) -> SafeString | str:
    """Return stored JSON laid out; text that is no JSON as it is, with a word about it."""
    if value is None:
        return EMPTY
    try:
        laid_out = json.dumps(json.loads(value), indent=2, ensure_ascii=False)
        # A lone surrogate, legal in JSON as an escape, can be sent to no browser.
        laid_out = laid_out.encode("utf-8", "backslashreplace").decode()
    except (ValueError, RecursionError):
        warning = _("What is stored here is not readable as JSON; this is the text as it stands.")
        return format_html('<p class="jobs-warning">⚠ {}</p>{}', warning, block(value))
    return block(laid_out)


def folded(title: StrOrPromise, value: str | None) -> SafeString | str:
    """Return text of many lines under a title that opens it."""
    if not value:
        return EMPTY
    return format_html('<details class="jobs-folded"><summary>{}</summary>{}</details>', title, block(value))
