"""Make thumbnails, and one picture of many; no database."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from django.core.files.base import ContentFile, File
from PIL import Image

# From half the size on that it refuses Pillow only warns; whoever sends such a picture means no good either.
warnings.simplefilter("error", Image.DecompressionBombWarning)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# The longer edge, in pixels.
SIZES = {"small": 128, "medium": 320, "large": 640}
_GAP = 8


def thumbnail(path: Path, size: str) -> ContentFile[bytes]:
    """Return a photograph as a JPEG of one of SIZES.

    Raises:
        OSError: the photograph is missing, or no whole image.
        BOMBS: it has too many pixels; that is known from its first bytes, nothing is decoded.
    """
    with Image.open(path) as image:
        image.thumbnail((SIZES[size], SIZES[size]))
        return _jpeg(image.convert("RGB"))


def contact_sheet(pictures: Sequence[File[bytes]]) -> ContentFile[bytes]:
    """Return small thumbnails side by side as one JPEG."""
    cell = SIZES["small"] + _GAP
    sheet = Image.new("RGB", (cell * len(pictures) + _GAP, cell + _GAP), "white")
    for column, picture in enumerate(pictures):
        with picture.open("rb") as file, Image.open(file) as image:
            sheet.paste(image, (_GAP + column * cell, _GAP))
    return _jpeg(sheet)


def _jpeg(image: Image.Image) -> ContentFile[bytes]:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    # An ImageField measures only a file that has a name; storing it gives it its own.
    return ContentFile(buffer.getvalue(), name="picture.jpg")
