"""Names as columns: two names are one only where every character is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from django_jobs.models.sound import Text

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

# By default MySQL and MariaDB take `mail`, `Mail` and `máil` for one name, and any two emoji: a worker of
# one queue would run the jobs of the other, and of two such queues only one would ever be found ready.
_EXACT = {"mysql": "utf8mb4_bin"}


class NameField(Text, _CharField):
    """A CharField that every database compares character by character."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        """Return the column's type with the collation that is exact on this vendor."""
        exact = _EXACT.get(connection.vendor)
        parameters = super().db_parameters(connection)
        return {**parameters, "collation": exact} if exact else parameters
