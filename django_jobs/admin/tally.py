"""What an action did, counted, and said in one line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext, ngettext

from django_jobs.admin.verbs import counted


@dataclass
class Tally:
    """How many rows an action changed, and how many it left alone and why.

    Attributes:
        changed: by what has become of them.
        skipped: by the reason.
        left: how many it did not come to.
    """

    changed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def add(self, other: Tally) -> None:
        """Add what another part of the action did."""
        self.changed += other.changed
        self.skipped += other.skipped

    def __str__(self) -> str:
        """Say it: `3 requeued, 2 skipped: running`."""
        parts = counted(self.changed) or [gettext("Nothing was changed")]
        if self.skipped:
            parts.append(self._left_alone())
        if self.left:
            not_yet = ngettext(
                "%(count)d not reached yet: do it again",
                "%(count)d not reached yet: do it again",
                self.left,
            )
            parts.append(not_yet % {"count": self.left})
        return ", ".join(parts) + "."

    def _left_alone(self) -> str:
        total = self.skipped.total()
        said = ngettext("%(count)d skipped: %(reasons)s", "%(count)d skipped: %(reasons)s", total)
        return said % {"count": total, "reasons": _reasons(self.skipped)}


def _reasons(skipped: Counter[str]) -> str:
    if len(skipped) == 1:
        return next(iter(skipped))
    each = gettext("%(count)d %(reason)s")
    most_first = sorted(skipped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(each % {"count": count, "reason": reason} for reason, count in most_first)
