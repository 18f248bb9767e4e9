"""Bars as SVG, legible on light and dark pages: each brings its own ground, which follows the reader's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from benchmarks.figures import number

WIDTH, LABELS, VALUES = 820, 380, 80
ROW, BAR, TOP, BOTTOM = 28, 16, 52, 14
STYLE = """
  svg { font: 13px system-ui, sans-serif }
  .ground { fill: #ffffff; stroke: #d0d7de }
  text { fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .unit, .value { fill: #57606a }
  .ours { fill: #0f7b4f }
  .other { fill: #8c96a3 }
  .limit { fill: #d5dae0 }
  .range { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #16181c; stroke: #3a3f47 }
    text { fill: #e6e9ed }
    .unit, .value { fill: #a9b1bb }
    .ours { fill: #3ecf8e }
    .other { fill: #6b7684 }
    .limit { fill: #3a414a }
    .range { stroke: #e6e9ed }
  }
"""


class Bar(NamedTuple):
    """One row of a chart.

    Attributes:
        label: what it is.
        value: how long the bar is.
        kind: "ours", "other" or "limit", which is its colour.
        least, most: the range of all rounds, drawn as a line across the bar's end.
    """

    label: str
    value: float
    kind: str = "ours"
    least: float | None = None
    most: float | None = None


def chart(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Return a chart of bars, all to one scale that begins at nothing."""
    height = TOP + ROW * len(bars) + BOTTOM
    longest = max(max(bar.value, bar.most or 0) for bar in bars)
    told = "; ".join(f"{bar.label}: {number(bar.value)} {unit}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(told)}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        f'<text class="title" x="16" y="28">{escape(title)}'
        f'<tspan class="unit" font-weight="400" font-size="13"> in {escape(unit)}</tspan></text>',
        *(line for row, bar in enumerate(bars) for line in _row(bar, unit, TOP + ROW * row, longest)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _row(bar: Bar, unit: str, top: int, longest: float) -> Iterator[str]:
    middle = top + ROW / 2
    yield f'<text x="{LABELS - 10}" y="{middle + 4.5}" text-anchor="end">{escape(bar.label)}</text>'
    # What is next to nothing is still to be seen.
    length = max(1.5, _length(bar.value, longest))
    yield (
        f'<rect class="{bar.kind}" x="{LABELS}" y="{middle - BAR / 2}" '
        f'width="{length:.1f}" height="{BAR}" rx="2"/>'
    )
    end = length
    if bar.least is not None and bar.most is not None and bar.least < bar.most:
        least, end = _length(bar.least, longest), max(length, _length(bar.most, longest))
        yield (
            f'<line class="range" x1="{LABELS + least:.1f}" x2="{LABELS + end:.1f}" '
            f'y1="{middle}" y2="{middle}"/>'
        )
    yield f'<text class="value" x="{LABELS + end + 8:.1f}" y="{middle + 4.5}">{number(bar.value)}</text>'


def _length(value: float, longest: float) -> float:
    return value / longest * (WIDTH - LABELS - VALUES) if longest else 0.0
