import pytest

# The suite lies in modules that pytest does not collect by themselves. Said here and not in conftest.py,
# because tests of other rooms, which are collected before these, import some of them.
for room in (
    "enqueueing",
    "cancelling",
    "claiming",
    "counting",
    "finishing",
    "expiring",
    "removing",
    "replaying",
    "upkeep",
    "repeating",
    "listening",
    "transitions",
    "plans",
    "limits",
    "locking",
    "presence",
    "queues",
    "receivers",
):
    pytest.register_assert_rewrite(f"tests.engines.conformance.{room}")
