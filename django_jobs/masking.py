"""What nobody is to see: the arguments that a job function calls sensitive, masked by name and by value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django_jobs import registry
from django_jobs.exceptions import SerializationError
from django_jobs.options import StoredOptions
from django_jobs.options.sensitive import RETURN
from django_jobs.serializers import parcels

if TYPE_CHECKING:
    from django_jobs.models import Job

MASK = "********"
# Shorter values stay: a text from which every "a" or "10" is gone says nothing any more.
SHORTEST = 4
# Of longer values also the beginning is masked: messages often cut what they quote.
BEGINNING = 16
# So many objects are looked into at most: one may lead to half of the program.
MOST_VALUES = 10_000
# With more spellings than these a text is asked first which of them it can have at all, by so many characters
# that they begin with; of longer ones there are few.
MANY, BEGIN_ALIKE, LONG = 50, 8, 1000
_ALL = json.dumps(MASK)


def shown_args(job: Job, *, may_see: bool) -> str:
    """Return the arguments of a job as whoever looks at it may see them.

    Which of them are sensitive stands in the job's own options, so that a process which does not know
    its function masks the same. What the function calls sensitive now, of a job enqueued before it did, is
    masked too.

    Args:
        may_see: whether they may see the sensitive ones.

    Returns:
        JSON; the text as it stands where nothing is to be masked. Where a spoilt row does not tell what
        is sensitive, all of it is masked. What is not stored as JSON is never loaded to be shown:
        only its format and size are.
    """
    if (described := _described(job.args)) is not None:
        return described
    sensitive = {} if may_see else _sensitive(job)
    if sensitive is None:
        return _ALL
    return _masked(job.args, sensitive) if sensitive.keys() - {RETURN} else job.args


def shown_result(job: Job, *, may_see: bool) -> str | None:
    """Return the result of a job as whoever looks at it may see it; None where there is none."""
    if (described := _described(job.result_data)) is not None:
        return described
    sensitive = {} if may_see or job.result_data is None else _sensitive(job)
    return job.result_data if sensitive is not None and RETURN not in sensitive else _ALL


class Secrets:
    """Values that no text may show.

    A value is found where it stands as it is, or as repr, JSON or a URL write it; if it is a list, a
    dict or any other object, each value in it is; if it has several lines, each line is.
    """

    def __init__(self, values: Iterable[object] = (), *, besides: Secrets | None = None) -> None:
        spellings = {each for text in _texts(values) for each in _spellings(text)}
        spellings.update(besides._spellings if besides else ())
        self._spellings: set[str] = {each for each in spellings if len(each) >= SHORTEST}

    def hide(self, text: str) -> str:
        """Return the text with a mask wherever it shows one of the values."""
        text = str.__str__(text)  # of an exception's own class of str, too
        return self._shown(text, 0, len(text))

    def hide_ends(self, text: str, length: int) -> tuple[str, str]:
        """Return the first and the last so many characters of a long text, likewise masked.

        What lies between is not looked through: of megabytes that could take minutes.
        """
        text = str.__str__(text)
        return self._shown(text, 0, length), self._shown(text, max(0, len(text) - length), len(text))

    def _shown(self, text: str, begin: int, end: int) -> str:
        """Return a part of a text with a mask over each value in it; one mask where several overlap."""
        shown, masked_to = list[str](), begin
        for start, stop in sorted(self._places(text, begin, end)):
            if stop > masked_to:
                if start >= masked_to or not shown:
                    shown += [text[masked_to:start], MASK]
                masked_to = stop
        return "".join((*shown, text[masked_to:end]))

    def _places(self, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        likely: Iterable[str] = self._spellings
        if len(self._spellings) > MANY:  # the lines of a long text: hardly any of them is in another one
            first = max(0, begin - LONG)
            starts = {text[at : at + BEGIN_ALIKE] for at in range(first, min(end, len(text)))}
            likely = (each for each in self._spellings if _may_start(each, starts))
        for spelling in likely:
            yield from _places_of(spelling, text, begin, end)


def secrets_of(
    sensitive: Mapping[str, int | None], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Secrets:
    """Return the values of the sensitive arguments of a call."""
    by_position = [args[place] for place in sensitive.values() if place is not None and place < len(args)]
    return Secrets([*by_position, *(kwargs[name] for name in sensitive if name in kwargs)])


def stored_secrets(sensitive: Mapping[str, int | None], text: str) -> Secrets:
    """Return what stands in stored arguments: all that can be known of them before they are loaded."""
    try:
        data = json.loads(text)
        return secrets_of(sensitive, data["args"], data["kwargs"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return Secrets()


def _texts(values: Iterable[object]) -> Iterator[str]:
    waiting, seen = list(values), dict[int, object]()
    while waiting and len(seen) < MOST_VALUES:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (bytes, bytearray)):
            waiting += [repr(bytes(value))[2:-1], value.decode(errors="replace")]
        elif value is not None and not isinstance(value, bool) and id(value) not in seen:
            seen[id(value)] = value  # held, so that no other gets its id
            waiting += _parts(value)


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        # Its keys are names, which source lines in tracebacks are full of.
        yield from value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from value
    else:
        for show in (str, repr, vars):
            with suppress(Exception):  # the user's own class, which may do anything
                yield show(value)


def _spellings(text: str) -> Iterator[str]:
    for line in (text, *text.splitlines()):
        yield from (line, repr(line)[1:-1], json.dumps(line)[1:-1])
        with suppress(UnicodeEncodeError):  # half of a surrogate pair is in no URL
            yield from (quote(line), quote(line, safe=""))


def _may_start(spelling: str, starts: Set[str]) -> bool:
    return not BEGIN_ALIKE <= len(spelling) <= LONG or spelling[:BEGIN_ALIKE] in starts


def _places_of(secret: str, text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where a text shows a secret, where that reaches into this part of it."""
    known = secret[:BEGINNING]
    # As zeros before a number of zeros: the next one may begin within this one.
    step = next(by for by in range(1, len(known) + 1) if known.startswith(known[by:]))
    # One that reaches across an end of the part is known by its beginning too, which lies outside of it.
    start = text.find(known, max(0, begin - len(secret)), end + BEGINNING)
    while start >= 0:
        if start < end:
            yield start, start + _length_shown(secret, text, start)
        start = text.find(known, start + step, end + BEGINNING)


def _length_shown(secret: str, text: str, start: int) -> int:
    """Return how much of a secret stands in a text from here on, where its beginning does."""
    least, most = min(BEGINNING, len(secret)), len(secret)
    if text.startswith(secret, start):
        return most
    while least < most:
        middle = (least + most + 1) // 2
        if text.startswith(secret[:middle], start):
            least = middle
        else:
            most = middle - 1
    return least


def _sensitive(job: Job) -> Mapping[str, int | None] | None:
    try:
        return {**_sensitive_now(job.function), **StoredOptions.load(job.options).sensitive}
    except SerializationError:
        return None


def _sensitive_now(function: str) -> Mapping[str, int | None]:
    # Whoever looks at jobs must be able to also where a module of jobs cannot be imported.
    with suppress(Exception):
        return dict(registry.find(function).options.sensitive)
    return {}


def _described(text: str | None) -> str | None:
    if not isinstance(text, str) or not parcels.is_parcel(text):
        return None
    try:
        parcel = parcels.parse(text)
    except SerializationError:
        return _ALL
    return json.dumps({"format": parcel.format, "bytes": parcel.size})


def _masked(text: str, sensitive: Mapping[str, int | None]) -> str:
    try:
        data = json.loads(text)
        args, kwargs = data["args"], data["kwargs"]
        for name, place in sensitive.items():
            if place is not None and place < len(args):
                args[place] = MASK
            if name in kwargs:
                kwargs[name] = MASK
        return json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, LookupError, RecursionError):
        return _ALL


# Of most runs; it is never changed.
NO_SECRETS = Secrets()
