"""Drawings in a browser: nothing overlaps, the theme follows the page, nothing is asked for."""

import pytest

from tests.browser import NARROW, WIDE
from tests.drawing.made import lab, mlp, slope
from xortune.drawing import network_svg, surface_svg
from xortune.drawing.elements import MINUS

# Boxes of all texts, in pixels of the page.
BOXES = """
() => [...document.querySelectorAll("svg text")].map(t => {
  const box = t.getBoundingClientRect();
  return [t.textContent, box.left, box.top, box.right, box.bottom];
})
"""
PAPER = "() => getComputedStyle(document.querySelector('svg > rect')).fill"
FIELDS = """
() => ["light", "dark"].filter(
  t => getComputedStyle(document.querySelector(`.d-only-${t}`)).display != "none")
"""
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"


def page(*svgs):
    return f"<!DOCTYPE html><title>t</title><body style='margin:0'>{''.join(svgs)}</body>"


def overlapping(boxes):
    """Pairs of texts of which one covers the other by more than a rounding."""
    return [
        (one[0], other[0])
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if min(one[3], other[3]) - max(one[1], other[1]) > 1
        and min(one[4], other[4]) - max(one[2], other[2]) > 1
    ]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_texts_cover_neither_each_other_nor_the_edge_of_the_page(chromium, size):
    drawings = (lab(), mlp(3, 3, 2), mlp(16, 64, 64, 3), mlp(2, *[9] * 12, 1))
    with chromium.tab(size) as tab:
        tab.page.set_content(page(*map(network_svg, drawings), surface_svg(slope())))
        boxes = tab.page.evaluate(BOXES)
        assert {f"{MINUS}7.484", "b = 11.19", "x0", "64 relu"} <= {box[0] for box in boxes}
        assert overlapping(boxes) == []
        assert all(left >= 0 and right <= size[0] for _, left, _, right, _ in boxes)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert (tab.requests, tab.errors) == ([], [])


def test_the_theme_follows_the_reader_and_the_page_may_choose_another(chromium):
    for dark in (False, True):
        with chromium.tab(WIDE, dark=dark) as tab:
            tab.page.set_content(page(surface_svg(slope())))
            own = (DARK, ["dark"]) if dark else (LIGHT, ["light"])
            other = (LIGHT, ["light"]) if dark else (DARK, ["dark"])
            assert (tab.page.evaluate(PAPER), tab.page.evaluate(FIELDS)) == own
            theme = other[1][0]
            tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            assert (tab.page.evaluate(PAPER), tab.page.evaluate(FIELDS)) == other
            tab.page.evaluate("document.body.style.setProperty('--drawing-paper', 'red')")
            assert tab.page.evaluate(PAPER) == "rgb(255, 0, 0)"
            assert tab.errors == []


def test_drawings_of_several_themes_share_a_page(chromium):
    with chromium.tab(WIDE) as tab:
        tab.page.set_content(page(network_svg(lab(), "dark"), network_svg(lab(), "light")))
        fills = tab.page.evaluate(
            "() => [...document.querySelectorAll('svg > rect')].map(r => getComputedStyle(r).fill)"
        )
        assert fills == [DARK, LIGHT]
