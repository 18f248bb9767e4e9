"""How far it is from one airport to the next; no database."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, dist, radians, sin
from typing import NamedTuple

EARTH_KM = 6371.0


class Place(NamedTuple):
    """An airport as a point on the unit sphere, where the nearest in a straight line is the nearest."""

    code: str
    point: tuple[float, float, float]

    @classmethod
    def at(cls, code: str, latitude: float, longitude: float) -> Place:
        """Return the place of an airport, given in degrees."""
        north, east = radians(latitude), radians(longitude)
        return cls(code, (cos(north) * cos(east), cos(north) * sin(east), sin(north)))


class Lonely(NamedTuple):
    """An airport, the next one to it, and how far that is."""

    km: float
    code: str
    next: str


def nearest(place: Place, places: Sequence[Place]) -> Lonely | None:
    """Return the nearest other place; None where there is none."""
    others = ((dist(place.point, other.point), other.code) for other in places if other.code != place.code)
    chord, code = min(others, default=(0.0, ""))
    return Lonely(round(2 * EARTH_KM * asin(min(1.0, chord / 2)), 1), place.code, code) if code else None
