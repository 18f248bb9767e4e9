"""Reading where it is written: what a replica says of a job is the past."""

from __future__ import annotations

from typing import TypeVar

from django.db import models, router

Row = TypeVar("Row", bound=models.Model)


class PrimaryQuerySet(models.QuerySet[Row]):
    """Rows of the write alias, whatever the project's routers say of reading; `using()` says otherwise.

    Every model of the app has it as its manager, and as its base manager too, through which a row is
    read again and its job is found.
    """

    @property
    def db(self) -> str:
        """The alias asked when the query is run."""
        # Django's own property, less its question whether the query is going to write.
        return self._db or router.db_for_write(self.model, **self._hints)  # type: ignore[attr-defined]


# Not as_manager(): with its manager the type checker loses the models that others refer to.
class PrimaryManager(models.Manager[Row]):
    """Gives `PrimaryQuerySet`."""

    def get_queryset(self) -> PrimaryQuerySet[Row]:
        """Return all rows."""
        return PrimaryQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]
