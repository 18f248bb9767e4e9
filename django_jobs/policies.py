"""How long a job waits between its attempts: fixed, in steps, linear or exponential."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# No delay is longer: what is wanted in more than a year is a schedule, not a retry.
CEILING = 365 * 24 * 3600.0


def seconds(value: Any, what: str, *, least: float = 0.0) -> float:
    """Return value as a float of seconds between `least` and a year.

    Raises:
        ValueError: it is no such number; says what was expected and what came.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not least <= value <= CEILING:
        raise ValueError(
            f"{what} must be seconds between {least:g} and {CEILING:.0f} (a year), not {value!r}"
        )
    return float(value)


def _spread(delay: float, jitter: bool) -> float:
    # The upper half: a cap stays a cap, and jobs that failed together come back apart.
    return delay * random.uniform(0.5, 1.0) if jitter else delay


def _flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"jitter must be True or False, not {value!r}")


@dataclass(frozen=True)
class fixed:
    """Wait the same time before each retry.

    Args:
        delay_seconds: seconds.
        jitter: draw each delay at random from its upper half.
    """

    delay_seconds: float
    jitter: bool = False

    def __post_init__(self) -> None:
        seconds(self.delay_seconds, "the delay")
        _flag(self.jitter)

    def delay(self, number: int) -> float:
        """Return the seconds to wait after attempt `number` has failed."""
        return _spread(self.delay_seconds, self.jitter)


@dataclass(frozen=True)
class steps:
    """Wait these times one after the other; the last one repeats.

    Args:
        delays: seconds, at least one.
        jitter: draw each delay at random from its upper half.
    """

    delays: Sequence[float]
    jitter: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.delays, (list, tuple)) or not self.delays:
            raise ValueError(f"the delays must be a list of at least one number, not {self.delays!r}")
        object.__setattr__(self, "delays", tuple(seconds(each, "each delay") for each in self.delays))
        _flag(self.jitter)

    def delay(self, number: int) -> float:
        """Return the seconds to wait after attempt `number` has failed."""
        return _spread(self.delays[min(number, len(self.delays)) - 1], self.jitter)


@dataclass(frozen=True)
class linear:
    """Wait `step` seconds after the first attempt, twice that after the second, and so on.

    Args:
        step: seconds.
        cap: seconds no delay exceeds; None means a year.
        jitter: draw each delay at random from its upper half.
    """

    step: float
    cap: float | None = None
    jitter: bool = False

    def __post_init__(self) -> None:
        seconds(self.step, "step")
        seconds(CEILING if self.cap is None else self.cap, "cap")
        _flag(self.jitter)

    def delay(self, number: int) -> float:
        """Return the seconds to wait after attempt `number` has failed."""
        ceiling = CEILING if self.cap is None else self.cap
        return _spread(min(self.step * number, ceiling), self.jitter)


@dataclass(frozen=True)
class exponential:
    """Wait `first` seconds after the first attempt, then `factor` times as long each time.

    Args:
        first: seconds.
        factor: at least 1.
        cap: seconds no delay exceeds; None means a year.
        jitter: draw each delay at random from its upper half.
    """

    first: float
    factor: float = 2
    cap: float | None = None
    jitter: bool = False

    def __post_init__(self) -> None:
        seconds(self.first, "first")
        if isinstance(self.factor, bool) or not isinstance(self.factor, (int, float)):
            raise ValueError(f"factor must be a number between 1 and 1000, not {self.factor!r}")
        if not 1 <= self.factor <= 1000:
            raise ValueError(f"factor must be a number between 1 and 1000, not {self.factor!r}")
        seconds(CEILING if self.cap is None else self.cap, "cap")
        _flag(self.jitter)

    def delay(self, number: int) -> float:
        """Return the seconds to wait after attempt `number` has failed."""
        ceiling = CEILING if self.cap is None else self.cap
        return _spread(self._grown(number - 1, ceiling), self.jitter)

    def _grown(self, times: int, ceiling: float) -> float:
        if self.first <= 0 or self.first >= ceiling:
            return min(self.first, ceiling)
        # Compared as logarithms: factor ** times leaves the floats long before 32,767 attempts.
        if times * math.log(self.factor) >= math.log(ceiling) - math.log(self.first):
            return ceiling
        return min(self.first * self.factor**times, ceiling)


Policy = fixed | steps | linear | exponential
_POLICIES: dict[str, Callable[..., Policy]] = {
    "fixed": fixed, "steps": steps, "linear": linear, "exponential": exponential,
}  # fmt: skip


def policy_of(value: Any) -> Policy:
    """Return the policy that a number, a list of numbers or a policy stands for.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Policy):
        return value
    if isinstance(value, (list, tuple)):
        return steps(tuple(value))
    return fixed(seconds(value, "retry_delay"))


def to_json(policy: Policy) -> dict[str, Any]:
    """Return the policy as plain JSON."""
    return {"policy": type(policy).__name__, **asdict(policy)}


def from_json(data: Any) -> Policy:
    """Return the policy that `to_json` wrote.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(data, Mapping) or data.get("policy") not in _POLICIES:
        raise ValueError(f"{data!r} is no retry policy")
    values = {name: value for name, value in data.items() if name != "policy"}
    try:
        return _POLICIES[data["policy"]](**values)
    except TypeError as error:
        raise ValueError(f"{data!r} is no retry policy: {error}") from error
