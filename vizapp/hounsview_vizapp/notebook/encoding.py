"""Pictures as bytes: JPEG while they move, PNG when they stand."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import cv2

from hounsview_vizapp.drawing import Picture

JPEG_QUALITY: Final = 80
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
# Fast and, for pictures that are flat in places, hardly larger than the best.
_PNG_LEVEL: Final = 2


def encoded(picture: Picture, *, lossless: bool) -> tuple[str, bytes]:
    """Return a (rows, columns, 3) uint8 RGB picture as (MIME type, bytes)."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    if lossless:
        _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])
        return PNG, data.tobytes()
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return JPEG, data.tobytes()


def data_uri(picture: Picture) -> str:
    """Return a picture as a ``data:`` address of a lossless PNG."""
    kind, data = encoded(picture, lossless=True)
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"
