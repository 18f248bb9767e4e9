"""Sensitive arguments are masked by their names, as the row itself tells them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_jobs import job, registry
from django_jobs.masking import LONG, MANY, MASK, MOST_VALUES, Secrets, shown_args, shown_result
from django_jobs.models import Job
from django_jobs.options import StoredOptions
from django_jobs.serializers import Owner, parcels
from django_jobs.uuid7 import uuid7
from tests import jobs

TOKEN = "s3cr3t-0123"


def row(*args: Any, options: str | None = jobs.log_in.options.stored(), **kwargs: Any) -> Job:
    return Job(args=json.dumps({"args": args, "kwargs": kwargs}), options=options, result_data='"done"')


def shown(job: Job, *, may_see: bool = False) -> Any:
    return json.loads(shown_args(job, may_see=may_see))


@pytest.fixture
def _registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))


@pytest.mark.parametrize(
    ("args", "kwargs", "masked"),
    [
        (("ada", TOKEN), {}, [["ada", MASK], {}]),
        (("ada",), {"token": TOKEN}, [["ada"], {"token": MASK}]),
        (("ada",), {"token": {"deep": [TOKEN]}, "pin": 1234}, [["ada"], {"token": MASK, "pin": MASK}]),
        (("ada",), {"extra_key": TOKEN, "note": "n"}, [["ada"], {"extra_key": MASK, "note": "n"}]),
        (("ada",), {}, [["ada"], {}]),
    ],
)
def test_a_sensitive_argument_is_masked_however_it_was_passed(args: Any, kwargs: Any, masked: Any) -> None:
    assert shown(row(*args, **kwargs)) == dict(zip(("args", "kwargs"), masked, strict=True))


def test_who_may_see_sees_what_is_stored() -> None:
    job = row("ada", TOKEN)
    assert shown_args(job, may_see=True) == job.args


def test_without_sensitive_arguments_the_text_is_shown_as_it_stands() -> None:
    job = row("ada", TOKEN, options=None)
    assert shown_args(job, may_see=False) == job.args
    assert shown_args(Job(args="no JSON", options=None), may_see=False) == "no JSON"


@pytest.mark.parametrize(
    "args",
    ["no JSON", "[]", '{"args":3,"kwargs":{}}', '{"args":[1e999,2],"kwargs":{}}', "[" * 50_000, b"\xff"],
)
def test_of_spoilt_arguments_nothing_is_shown(args: Any) -> None:
    job = Job(args=args, options=jobs.log_in.options.stored())
    assert shown(job) == MASK


@pytest.mark.parametrize("options", ["no JSON", "[]", '{"sensitive":{"token":-1}}', '{"sensitive":3}', 7])
def test_where_it_cannot_be_read_what_is_sensitive_all_is(options: Any) -> None:
    job = row("ada", TOKEN, options=options)
    assert shown(job) == MASK
    assert shown_result(job, may_see=False) == f'"{MASK}"'


def test_a_result_is_masked_where_the_function_says_so() -> None:
    said = row(options=job_with("return"))
    assert shown_result(said, may_see=False) == f'"{MASK}"'
    assert shown_result(said, may_see=True) == '"done"'
    assert shown_result(row(), may_see=False) == '"done"'
    assert shown_result(Job(options=job_with("return"), result_data=None), may_see=False) is None
    assert shown(row("ada", options=job_with("return"))) == {"args": ["ada"], "kwargs": {}}


def test_what_its_function_calls_sensitive_only_now_is_masked_too() -> None:
    args = json.dumps({"args": ["ada"], "kwargs": {"token": TOKEN}})
    older = Job(function=jobs.log_in.name, args=args, options=None)
    assert shown(older) == {"args": ["ada"], "kwargs": {"token": MASK}}
    assert shown_args(older, may_see=True) == args


def test_where_no_module_of_jobs_can_be_imported_the_row_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(registry, "find", fail)
    assert shown(row("ada", TOKEN)) == {"args": ["ada", MASK], "kwargs": {}}
    assert shown(row("ada", options=None)) == {"args": ["ada"], "kwargs": {}}


def job_with(*names: str) -> str:
    return json.dumps({"sensitive": dict.fromkeys(names)})


@pytest.mark.parametrize("may_see", [False, True])
def test_what_is_not_json_is_described_and_never_loaded(may_see: bool) -> None:
    owner = Owner(uuid7(), "f")
    texts = [parcels.pack(b"x" * size, format="cloudpickle", owner=owner, kind="args") for size in (1, 2, 3)]
    for size, text in enumerate(texts, 1):
        job = Job(args=text, options=job_with("return"), result_data=text)
        described = {"format": "cloudpickle", "bytes": size}
        assert shown(job, may_see=may_see) == described
        assert json.loads(shown_result(job, may_see=may_see) or "") == described
        assert shown(Job(args=text[:-1] + "!"), may_see=may_see) == MASK


@pytest.mark.usefixtures("_registry")
def test_the_places_of_sensitive_arguments_travel_with_the_row() -> None:
    def send(a: int, token: str, /, b: int, *rest: int, pin: int = 0, **extra: int) -> None: ...

    send.__qualname__ = "send_it"
    made = job(send, sensitive=["token", "b", "pin", "key", "return"])
    stored = StoredOptions.load(made.options.stored())
    assert stored.sensitive == {"token": 1, "b": 2, "pin": None, "key": None, "return": None}
    assert made.using(queue="mail").options.sensitive == made.options.sensitive


@pytest.mark.parametrize(
    ("sensitive", "error", "said"),
    [
        ("tokn", ValueError, r"sensitive names 'tokn', which is no parameter of .*send\(a, \*rest\)"),
        (["a", "rest"], ValueError, r"sensitive names '\*rest' of .*: give those a parameter each"),
        (3, TypeError, "sensitive must be names of parameters, not 3"),
        (["a b"], TypeError, "'a b' is none"),
        ([None], TypeError, "None is none"),
    ],
)
@pytest.mark.usefixtures("_registry")
def test_a_name_that_would_mask_nothing_is_refused_at_decoration(
    sensitive: Any, error: type[Exception], said: str
) -> None:
    def send(a, *rest): ...  # type: ignore[no-untyped-def]

    send.__qualname__ = "send"
    with pytest.raises(error, match=said):
        job(send, sensitive=sensitive)


@pytest.mark.usefixtures("_registry")
def test_any_key_may_be_sensitive_where_any_is_taken_but_not_all_of_them() -> None:
    def send(**extra): ...  # type: ignore[no-untyped-def]

    send.__qualname__ = "send"
    assert job(send, sensitive="key").options.sensitive == (("key", None),)
    with pytest.raises(ValueError, match=r"'\*\*extra' of .*: name its keys"):
        job(send, sensitive="extra")


class Account:
    def __init__(self, *values: Any) -> None:
        self.values, self.me = values, self

    def __repr__(self) -> str:
        raise RuntimeError("not shown")


@pytest.mark.parametrize(
    ("value", "text", "hidden"),
    [
        ("s3cr3t", "a s3cr3t, s3cr3t!", f"a {MASK}, {MASK}!"),
        ("abc", "abc", "abc"),
        ("", "text", "text"),
        (b"s3cr\xff", "got b's3cr\\xff'", f"got b'{MASK}'"),
        (b"s3cr3t", "got s3cr3t", f"got {MASK}"),
        (987654, "pin 987654", f"pin {MASK}"),
        (Decimal("12.50"), "of 12.50", f"of {MASK}"),
        (True, "True", "True"),
        (None, "None", "None"),
        ({"password": "s3cr3t"}, "password=s3cr3t", f"password={MASK}"),
        (({"s3cr3t"},), "s3cr3t", MASK),
        (Account("s3cr3t", Account("h1dden")), "s3cr3t h1dden", f"{MASK} {MASK}"),
        (["long-secret", "secret"], "secret long-secret", f"{MASK} {MASK}"),
        ("ab" * 100, f"<{'ab' * 100}>", f"<{MASK}>"),
        (["abcd", "cdefghij"], "abcdefghij abcd", f"{MASK} {MASK}"),
        ("0123456789abcdefghij", "0123456789abcdefgh...", f"{MASK}..."),
        ("0123456789abcdefghij", "0123456789abcde...", "0123456789abcde..."),
        ("first\nsecond", "  | second", f"  | {MASK}"),
        ("half \ud800", "half \\ud800", MASK),
        ("per cent&", "?q=per%20cent%26", f"?q={MASK}"),
    ],
)
def test_a_secret_is_found_in_text(value: Any, text: str, hidden: str) -> None:
    assert Secrets([value]).hide(text) == hidden


def test_a_value_that_leads_everywhere_is_looked_into_for_a_while_only() -> None:
    everything = [object() for _ in range(MOST_VALUES)]
    assert Secrets([["too-late", *everything, "s3cr3t"]]).hide("s3cr3t too-late") == f"{MASK} too-late"


@pytest.mark.parametrize("length", [1, 5, 20, 21, 100])
@pytest.mark.parametrize("secret", ["pin1", "s3cr3t", "0123456789abcdef", "0123456789abcdefghij" * 9])
def test_no_end_of_a_text_shows_a_part_of_a_secret_wherever_it_is_cut(secret: str, length: int) -> None:
    for before in range(length + 1):
        text = "-" * before + secret + "-" * before
        for end in Secrets([secret]).hide_ends(text, length):
            assert set(end) <= {"-", "*"}, (before, end)


def test_the_ends_of_a_text_are_those_that_are_asked_for() -> None:
    assert Secrets(["s3cr3t"]).hide_ends("first s3cr3t - s3cr3t last", 8) == (f"first {MASK}", f"{MASK} last")
    assert Secrets().hide_ends("some text", 4) == ("some", "text")


def test_a_secret_of_many_lines_is_found_by_each_of_them() -> None:
    lines = [f"line {number:05}-{number * 7919:08x}" for number in range(MANY * 3)]
    hide = Secrets(["\n".join([*lines, "l" * LONG * 2, "short"])]).hide
    assert [hide(f"got {line}!") for line in lines] == [f"got {MASK}!"] * len(lines)
    assert hide("short, " + "l" * LONG * 2) == f"{MASK}, {MASK}"


@st.composite
def texts_with_secrets(draw: st.DrawFn) -> tuple[list[str], str]:
    """Return secrets of few letters, which often overlap, and a text of them and of their beginnings."""
    secrets = draw(st.lists(st.text("ab0", min_size=4, max_size=40), min_size=1, max_size=3))
    whole = st.sampled_from(secrets)
    beginning = st.tuples(whole, st.integers(16, 40)).map(lambda cut: cut[0][: cut[1]])
    return secrets, "".join(
        draw(st.lists(st.one_of(whole, beginning, st.text("0 .", max_size=5)), max_size=20))
    )


@given(texts_with_secrets())
def test_no_character_of_a_secret_shows_wherever_it_stands(made: tuple[list[str], str]) -> None:
    secrets, text = made
    places = [
        (at, at + len(each)) for each in secrets for at in range(len(text)) if text.startswith(each, at)
    ]
    hidden = {at for start, stop in places for at in range(start, stop)}
    may_show = iter([each for at, each in enumerate(text) if at not in hidden])
    assert all(each in may_show for each in Secrets(secrets).hide(text).replace(MASK, ""))


@given(texts_with_secrets(), st.integers(0, 60))
def test_the_ends_show_what_the_whole_text_would_show_of_them(
    made: tuple[list[str], str], length: int
) -> None:
    secrets, text = made
    hidden = Secrets(secrets)
    spots = [hidden._shown(text, at, at + 1) for at in range(len(text))]
    first, last = spots[:length], spots[max(0, len(text) - length) :]
    shown = ["".join(each for each in end if each != MASK) for end in (first, last)]
    assert [end.replace(MASK, "") for end in hidden.hide_ends(text, length)] == shown
    assert hidden.hide(text).replace(MASK, "") == "".join(each for each in spots if each != MASK)


def test_a_number_of_zeros_is_found_behind_more_of_them() -> None:
    assert Secrets(["0" * 20 + "12345"]).hide("0" * 30 + "12345.") == f"{MASK}."
