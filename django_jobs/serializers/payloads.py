"""What a job is given and what it returns, as the text of its row."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django_jobs.exceptions import ResultTooLarge, SerializationError
from django_jobs.serializers import formats, limits, parcels
from django_jobs.serializers.formats import JSON, Serializer
from django_jobs.serializers.json import Unstorable
from django_jobs.serializers.parcels import ARGS, RESULT, Owner

# No encoded value begins so: a user's own dict like this is wrapped in a $dict.
_TOO_LARGE = "$too_large"
_BY_POSITION = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def dump_args(
    signature: inspect.Signature,
    owner: Owner,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    serializer: str = JSON.name,
) -> str:
    """Encode the arguments of one call, as given.

    Args:
        signature: what they must fit.
        owner: the job they are for.
        args, kwargs: the call.
        serializer: the option.

    Raises:
        TypeError: they do not fit; names function and parameter.
        SerializationError: one cannot be stored; names it. Or the serializer is not switched on.
        PayloadTooLarge: together they exceed MAX_PAYLOAD.
    """
    if not _plainly_fits(signature, args, kwargs):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{owner.function}{signature}: {error}") from None
    chosen = formats.chosen(serializer, owner.function)
    try:
        data = formats.encode(chosen, {"args": list(args), "kwargs": dict(kwargs)})
    except SerializationError as error:
        raise _blaming(chosen, owner.function, signature.bind(*args, **kwargs)) or error from error
    limits.check_payload(data)
    return _stored(chosen, data, owner, ARGS)


def load_args(text: str, owner: Owner) -> tuple[list[Any], dict[str, Any]]:
    """Decode what `dump_args` wrote for this job.

    Raises:
        SerializationError: it is corrupt, or not this job's, or names something that no longer exists,
            or is in a format that is not switched on.
    """
    call = _loaded(text, owner, ARGS)
    if isinstance(call, dict):
        args, kwargs = call.get("args"), call.get("kwargs")
        if isinstance(args, (list, tuple)) and isinstance(kwargs, dict) and all(map(_is_name, kwargs)):
            return list(args), kwargs
    raise SerializationError("the stored arguments cannot be read: they lack args or kwargs")


def dump_result(value: Any, owner: Owner, *, like: str = "", preview: bool = True) -> str | None:
    """Encode what a job function returned; over MAX_RESULT only its size and beginning.

    Args:
        value: what it returned.
        owner: its job.
        like: the job's stored arguments, whose format its result gets.
        preview: whether a result that is too large may leave its beginning.

    Returns:
        The text; None for None.

    Raises:
        SerializationError: it cannot be stored; says where and why.
    """
    if value is None:
        return None
    serializer = _accepted(parcels.parse(like).format, owner) if parcels.is_parcel(like) else JSON
    try:
        data = formats.encode(serializer, value)
    except SerializationError as error:
        raise SerializationError(f"the result cannot be stored: {error}") from error
    if limits.fits_result(data):
        return _stored(serializer, data, owner, RESULT)
    # Of other bytes than JSON nobody could read a beginning.
    begin = data[: limits.PREVIEW].decode(errors="ignore") if preview and serializer is JSON else ""
    return json.dumps({_TOO_LARGE: {"size": len(data), "preview": begin}})


def load_result(text: str | None, owner: Owner) -> Any:
    """Decode what `dump_result` wrote for this job.

    Raises:
        ResultTooLarge: only its size and beginning were stored.
        SerializationError: as `load_args`.
    """
    if text is None:
        return None
    if text.startswith(f'{{"{_TOO_LARGE}"'):
        raise _too_large(owner.id, text)
    return _loaded(text, owner, RESULT)


def dump_meta(meta: dict[str, Any]) -> str:
    """Encode what a job keeps of itself.

    Raises:
        SerializationError: it cannot be stored, or takes more than MAX_META; says why.
    """
    try:
        data = JSON.dumps(meta)
    except Unstorable as error:
        raise SerializationError(str(error.within("current_job.meta"))) from error
    limits.check_meta(data)
    return data.decode()


def load_meta(text: str | None) -> dict[str, Any]:
    """Decode what `dump_meta` wrote; an empty dict where nothing was.

    Raises:
        SerializationError: it is corrupt, or names something that no longer exists.
    """
    if text is None:
        return {}
    meta = JSON.loads_text(text)
    if not isinstance(meta, dict):
        raise SerializationError("the stored meta cannot be read: it is no dict")
    return meta


def _too_large(job_id: object, text: str) -> ResultTooLarge:
    try:
        marker = json.loads(text)[_TOO_LARGE]
        return ResultTooLarge(job_id, int(marker["size"]), str(marker["preview"]))
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise SerializationError(f"the stored result cannot be read: {error}") from error


def _stored(serializer: Serializer, data: bytes, owner: Owner, kind: str) -> str:
    if serializer is JSON:
        return data.decode()
    return parcels.pack(data, format=serializer.name, owner=owner, kind=kind)


def _loaded(text: str, owner: Owner, kind: str) -> Any:
    if not parcels.is_parcel(text):
        return JSON.loads_text(text)
    parcel = parcels.parse(text)
    serializer = _accepted(parcel.format, owner)
    # In this order, always: nothing touches the bytes before it is known who wrote them.
    data = parcel.verified(owner, kind)
    return formats.decode(serializer, data)


def _accepted(name: str, owner: Owner) -> Serializer:
    if (serializer := formats.accepted(owner.function).get(name)) is None:
        raise SerializationError(formats.not_accepted(name, owner.function))
    return serializer


def _is_name(key: object) -> bool:
    return isinstance(key, str)


def _plainly_fits(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Return whether each parameter is given by its position: that is seen without binding them."""
    if kwargs or len(args) != len(signature.parameters):
        return False
    return _BY_POSITION.issuperset([each.kind for each in signature.parameters.values()])


def _blaming(
    serializer: Serializer, function: str, bound: inspect.BoundArguments
) -> SerializationError | None:
    for argument, value in _one_by_one(bound):
        try:
            formats.encode(serializer, value)
        except Unstorable as error:
            return SerializationError(f"{function}: the argument {error.within(argument)}")
        except SerializationError as error:
            return SerializationError(f"{function}: the argument {argument} cannot be stored: {error}")
    return None


def _one_by_one(bound: inspect.BoundArguments) -> Iterator[tuple[str, Any]]:
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
        elif kind is inspect.Parameter.VAR_KEYWORD:
            yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
        else:
            yield name, value
