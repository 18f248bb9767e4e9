"""What a job is given and what it returns, as the text of its row."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django_jobs.exceptions import ResultTooLarge, SerializationError
from django_jobs.serializers import limits
from django_jobs.serializers.json import JSONSerializer, Unstorable

_serializer = JSONSerializer()
# No encoded value begins so: a user's own dict like this is wrapped in a $dict.
_TOO_LARGE = "$too_large"


def dump_args(signature: inspect.Signature, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Encode the arguments of one call, as given.

    Args:
        signature: what they must fit.
        name: the job function's, for messages.
        args, kwargs: the call.

    Raises:
        TypeError: they do not fit; names function and parameter.
        SerializationError: one cannot be stored; names it.
        PayloadTooLarge: together they exceed MAX_PAYLOAD.
    """
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}{signature}: {error}") from None
    try:
        data = _serializer.dumps({"args": list(args), "kwargs": dict(kwargs)})
    except SerializationError as error:
        raise _blaming(name, bound.arguments) or error from error
    limits.check_payload(data)
    return data.decode()


def load_args(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Decode what `dump_args` wrote.

    Raises:
        SerializationError: it is corrupt, or names something that no longer exists.
    """
    data = _serializer.loads(text.encode(errors="surrogatepass"))
    match data:
        case {"args": list(args), "kwargs": dict(kwargs)}:
            return args, kwargs
    raise SerializationError("the stored arguments cannot be read: they lack args or kwargs")


def dump_result(value: Any) -> str | None:
    """Encode what a job function returned; over MAX_RESULT only its size and beginning.

    Returns:
        The text; None for None.

    Raises:
        SerializationError: it cannot be stored; says where and why.
    """
    if value is None:
        return None
    try:
        data = _serializer.dumps(value)
    except SerializationError as error:
        raise SerializationError(f"the result cannot be stored: {error}") from error
    if limits.fits_result(data):
        return data.decode()
    preview = data[: limits.PREVIEW].decode(errors="ignore")
    return json.dumps({_TOO_LARGE: {"size": len(data), "preview": preview}})


def load_result(job_id: object, text: str | None) -> Any:
    """Decode what `dump_result` wrote.

    Raises:
        ResultTooLarge: only its size and beginning were stored.
        SerializationError: it is corrupt, or names something that no longer exists.
    """
    if text is None:
        return None
    if text.startswith(f'{{"{_TOO_LARGE}"'):
        raise _too_large(job_id, text)
    return _serializer.loads(text.encode(errors="surrogatepass"))


def dump_meta(meta: dict[str, Any]) -> str:
    """Encode what a job keeps of itself.

    Raises:
        SerializationError: it cannot be stored, or takes more than MAX_META; says why.
    """
    try:
        data = _serializer.dumps(meta)
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
    meta = _serializer.loads(text.encode(errors="surrogatepass"))
    if not isinstance(meta, dict):
        raise SerializationError("the stored meta cannot be read: it is no dict")
    return meta


def _too_large(job_id: object, text: str) -> ResultTooLarge:
    try:
        marker = json.loads(text)[_TOO_LARGE]
        return ResultTooLarge(job_id, int(marker["size"]), str(marker["preview"]))
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise SerializationError(f"the stored result cannot be read: {error}") from error


def _blaming(name: str, arguments: Mapping[str, Any]) -> SerializationError | None:
    for argument, value in arguments.items():
        try:
            _serializer.dumps(value)
        except Unstorable as error:
            return SerializationError(f"{name}: the argument {error.within(argument)}")
    return None
