"""Drawings as PNG files, with and without fonts on the machine."""

import builtins
import io
import sys

import pytest
import resvg_py
from PIL import Image, ImageChops

from tests.drawing.made import lab, mlp, slope
from xortune.drawing import network_svg, picture_svg, svg_as_png
from xortune.drawing.elements import MINUS
from xortune.errors import XortuneError

LIGHT = picture_svg(lab(), slope(), "light")


def image(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_png_has_the_paper_of_its_theme_and_twice_the_size():
    for theme, paper in (("light", (255, 255, 255)), ("dark", (0x14, 0x17, 0x1C))):
        svg = network_svg(lab(), theme)
        made = image(svg_as_png(svg))
        assert made.getpixel((0, 0)) == paper
        width = float(svg.partition(' width="')[2].partition('"')[0])
        assert made.size[0] == pytest.approx(2 * width, abs=1)


def test_letters_do_not_vanish_on_a_machine_without_fonts(monkeypatch):
    plain = network_svg(lab(), "light")
    other = network_svg(mlp(2, 2, names=("length in é", "日本")), "light")
    there = svg_as_png(plain)
    render = resvg_py.svg_to_bytes
    monkeypatch.setattr(
        resvg_py, "svg_to_bytes", lambda **k: render(**{**k, "skip_system_fonts": True})
    )
    assert svg_as_png(plain) == there
    for svg, part in ((plain, "-7.484"), (plain, "b = 11.19"), (other, "length in ")):
        drawn = svg.replace(MINUS, "-")
        assert part in drawn
        without = drawn.replace(f">{part}", ">")
        difference = ImageChops.difference(image(svg_as_png(svg)), image(svg_as_png(without)))
        assert sum(1 for pixel in difference.convert("L").tobytes() if pixel) > 100, part


@pytest.mark.parametrize("package", ["resvg_py", "PIL"])
def test_a_png_without_its_package_names_the_remedy(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(XortuneError, match=rf"{package}\. .*pip install 'xortune\[models\]'; or"):
        svg_as_png(LIGHT)


def test_drawing_imports_no_renderer(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        assert name not in ("resvg_py", "PIL")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    picture_svg(lab(), slope(), "light")
