"""The option `sensitive`: the names of arguments that nobody is to see, each with its place in the call."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from inspect import Parameter
from typing import Any

# Each name with the position its argument may also come by; None where it comes by keyword only.
Sensitive = tuple[tuple[str, int | None], ...]
# Stands for what the function returns; no parameter can be called so.
RETURN = "return"

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def names(option: str, value: Any) -> Sensitive:
    """Check what was given; where each name stands is not known yet."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, Iterable):
        raise TypeError(f"{option} must be names of parameters, not {value!r}")
    wanted = list(given)
    for name in wanted:
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"{option} must be names of parameters; {name!r} is none")
    return tuple((name, None) for name in dict.fromkeys(wanted))


def placed(sensitive: Sensitive, signature: inspect.Signature, function: str) -> Sensitive:
    """Return the names with their places.

    Raises:
        ValueError: one is no parameter of the function, or one that takes several arguments; names it.
    """
    return tuple((name, _place(name, signature, function)) for name, _ in sensitive)


def _place(name: str, signature: inspect.Signature, function: str) -> int | None:
    parameters = signature.parameters
    if name in parameters:
        return _place_of(parameters[name], list(parameters).index(name), function)
    takes_any = any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values())
    if name == RETURN or takes_any:
        return None
    raise ValueError(f"sensitive names {name!r}, which is no parameter of {function}{signature}")


def _place_of(parameter: Parameter, index: int, function: str) -> int | None:
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        hint = "name its keys" if parameter.kind is Parameter.VAR_KEYWORD else "give those a parameter each"
        raise ValueError(
            f"sensitive names {str(parameter)!r} of {function}, which is any number of arguments: {hint}"
        )
    return index if parameter.kind in _BY_POSITION else None
