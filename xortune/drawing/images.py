"""Small images inside an SVG: PNG files of at most 256 colours, as data addresses."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

from xortune.drawing.colours import RGB


def png(rows: Sequence[bytes], colours: Sequence[RGB]) -> bytes:
    """A PNG file of indexed colours (ISO/IEC 15948).

    Args:
        rows: from the top, the number of the colour of each pixel; all of one length.
        colours: at most 256.
    """
    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    palette = b"".join(map(bytes, colours))
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", size), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def address(content: bytes) -> str:
    """A PNG file as an address that holds all of it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
