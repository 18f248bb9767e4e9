"""What a test needs and a machine may not have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Leave a test out because of what is not here, and say so; with CI=true let it fail.

    Nobody reads what CI has left out: there a program that is not installed any more would be a fault that
    is not put to the test any more.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(f"left out, which must not be with CI=true: {what}", pytrace=False)
    pytest.skip(what)
