"""Nearly every Python object by cloudpickle, functions and classes of one's own included.

Loading runs whatever the bytes say: nobody but `payloads.py` calls it, once it knows who wrote them.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from django.db.models import Model

from django_jobs.serializers import instances


class CloudpickleSerializer:
    """What `serializer="cloudpickle"` stands for."""

    name = "cloudpickle"

    def dumps(self, value: Any) -> bytes:
        """Encode a value; raise whatever says why it cannot be."""
        written = io.BytesIO()
        _Pickler(written).dump(value)
        return written.getvalue()

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` wrote; raise whatever its classes raise."""
        return pickle.loads(data)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # of a base without types
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Model):
            # As in JSON: a copy would be old when the job runs, and its save() would undo what came between.
            return instances.load, (instances.key_of(obj),)
        if isinstance(obj, io.IOBase) and not isinstance(obj, (io.BytesIO, io.StringIO)):
            # cloudpickle would read a text file to its end, and give the job a copy.
            raise pickle.PicklingError("an open file cannot be stored; pass its path")
        return super().reducer_override(obj)
