"""Counting and windows that cost the same with a thousand rows and with a million."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

Row = TypeVar("Row", bound=Model)

WINDOW = 10_000


if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:  # subscripting it is for type checkers only
    AnyPaginator = Paginator


class CappedPaginator(AnyPaginator):
    """Page through the first `cap` rows, and know whether there are more."""

    cap = WINDOW

    @cached_property
    def count(self) -> int:
        """The number of rows, at most `cap`: an exact count of millions takes seconds."""
        return min(self._counted, self.cap)

    @property
    def capped(self) -> bool:
        """Whether there are rows beyond `cap`."""
        return self._counted > self.cap

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[: self.cap + 1].count()


def newest(
    queryset: QuerySet[Row], *, order: str = "pk", window: int = WINDOW, **within: Any
) -> QuerySet[Row]:
    """Narrow a queryset to the newest rows, for what no index can find.

    Args:
        order: the indexed field that tells older from newer.
        window: how many rows may be looked at.
        within: an indexed equality that narrows the rows before they are counted.
    """
    base = queryset.model._base_manager.using(queryset.db).filter(**within)
    # A boundary, not a subquery: MariaDB refuses LIMIT inside IN.
    edge = base.order_by(f"-{order}").values_list(order, flat=True)[window - 1 : window]
    return queryset.filter(**{f"{order}__gte": row for row in edge})
