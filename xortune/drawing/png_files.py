"""Drawings as PNG files, which look alike on machines with and without fonts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xortune.drawing.elements import MINUS
from xortune.drawing.theme import FONT_OF_OTHERS, FONTS
from xortune.errors import XortuneError

_ZOOM = 2.0  # pixels of the file per pixel of the drawing, for sharp screens and print


def svg_as_png(svg: str) -> bytes:
    """A PNG file of a drawing in the light or the dark theme, twice as wide and high.

    Letters and digits are those of Pillow's own font; for others it takes the fonts of the system.

    Raises:
        XortuneError: the extra `models` is not installed.
    """
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise XortuneError(
            "PNG files need the package resvg_py. Install it with: pip install 'xortune[models]'; "
            "or write an SVG file."
        ) from None
    with _font() as (files, family):
        if family is not None:
            # That font has the letters, digits and signs of ASCII, and so no minus sign.
            svg = svg.replace(MINUS, "-").replace(f"{{font-family:{FONTS}}}", _style(f"'{family}'"))
            svg = svg.replace(FONT_OF_OTHERS, f"{FONT_OF_OTHERS}, '{family}'")
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_ZOOM, font_files=files))


def _style(family: str) -> str:
    return f"{{font-family:{family}}}"


@contextmanager
def _font() -> Iterator[tuple[list[str], str | None]]:
    """Pillow's own font as a file, and its name; none where Pillow was built without FreeType."""
    from PIL import ImageFont

    font = ImageFont.load_default(12)
    content = getattr(font, "font_bytes", None)
    if content is None or not isinstance(font, ImageFont.FreeTypeFont):
        yield [], None
        return
    with tempfile.TemporaryDirectory(prefix="xortune-") as folder:
        file = Path(folder, "font.ttf")
        file.write_bytes(content)
        yield [str(file)], font.getname()[0]
