"""How arguments and results become text and come back."""

from __future__ import annotations

from django_jobs.serializers.json import JSONSerializer
from django_jobs.serializers.limits import clean, truncated
from django_jobs.serializers.parcels import Owner, repacked
from django_jobs.serializers.payloads import (
    dump_args,
    dump_meta,
    dump_result,
    load_args,
    load_meta,
    load_result,
)

__all__ = [
    "JSONSerializer",
    "Owner",
    "clean",
    "dump_args",
    "dump_meta",
    "dump_result",
    "load_args",
    "load_meta",
    "load_result",
    "repacked",
    "truncated",
]
