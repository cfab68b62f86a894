"""Drawings as PNG files, which look alike on machines with and without fonts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

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
        import PIL  # noqa: F401
        import resvg_py
    except ModuleNotFoundError as error:
        raise XortuneError(
            f"PNG files need the package {error.name}. Install it with: "
            "pip install 'xortune[models]'; or write an SVG file."
        ) from None
    with _font() as (files, family):
        if family is not None:
            # That font has the letters, digits and signs of ASCII, and so no minus sign.
            svg = svg.replace(MINUS, "-").replace(_style(FONTS), _style(f"'{family}'"))
            svg = svg.replace(FONT_OF_OTHERS, f"{FONT_OF_OTHERS}, '{family}'")
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_ZOOM, font_files=files))


def _style(family: str) -> str:
    return f"{{font-family:{family}}}"


@contextmanager
def _font() -> Iterator[tuple[list[str], str | None]]:
    """Pillow's own font as a file, and its name; none where Pillow was built without FreeType."""
    from PIL import ImageFont

    try:
        font = ImageFont.load_default(12)
    except ImportError:
        yield [], None
        return
    assert isinstance(font, ImageFont.FreeTypeFont)
    with tempfile.NamedTemporaryFile(prefix="xortune-", suffix=".ttf") as file:
        file.write(font.font_bytes)
        file.flush()
        yield [file.name], font.getname()[0]
