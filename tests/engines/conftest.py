from __future__ import annotations

import pytest

# The suite lies in modules that pytest does not collect by themselves.
for room in (
    "enqueueing",
    "claiming",
    "finishing",
    "removing",
    "replaying",
    "upkeep",
    "repeating",
    "transitions",
    "plans",
):
    pytest.register_assert_rewrite(f"tests.engines.conformance.{room}")
