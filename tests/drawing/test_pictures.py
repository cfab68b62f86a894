"""Complete SVGs: themes, words, and nothing in them but a picture."""

import re

import pytest

from tests.drawing.made import SVG, lab, mlp, read, slope, texts
from tests.hostile import HOSTILE, steering
from xortune.drawing import network_svg, picture_svg, surface_svg
from xortune.drawing.theme import _COLOURS
from xortune.errors import UsageError

THEMES = ("light", "dark", "auto")
TAGS = {"svg", "title", "desc", "style", "rect", "g", "line", "circle", "text", "path", "image"}


@pytest.mark.parametrize("theme", THEMES)
def test_a_picture_is_one_complete_svg_with_words(theme):
    svg = picture_svg(lab(), slope(), theme)
    root = read(svg)
    assert svg.startswith("<svg ")
    assert root.attrib["role"] == "img"
    assert [part.tag for part in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert "The trained network" in root[0].text
    assert "output over x0 and x1" in root[0].text
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= TAGS


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_runs_and_nothing_is_asked_from_elsewhere(theme):
    svg = picture_svg(lab(), slope(), theme)
    for part in read(svg).iter():
        for name, value in part.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name or value.startswith("data:image/png;base64,")
    assert not re.search(r"script|@import|url\(|https?://(?!www\.w3\.org/2000/svg)", svg)


def test_only_the_theme_auto_asks_what_is_around_it():
    assert "prefers-color-scheme" in network_svg(lab(), "auto")
    for theme in ("light", "dark"):
        svg = network_svg(lab(), theme)
        assert "var(" not in svg
        assert "@media" not in svg
        assert _COLOURS[theme]["paper"] in svg


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_anywhere_are_text_and_nothing_else(name):
    network = mlp(2, 2, 1, names=(name, "b"))
    network = type(network)(network.inputs, (name,), network.layers)
    surface = slope(classes=(name, name * 20), answer=name)
    surface = type(surface)(**{**vars(surface), "inputs": (name, name)})
    for theme in ("light", "auto"):
        svg = picture_svg(network, surface, theme)
        root = read(svg)
        assert {part.tag.removeprefix(SVG) for part in root.iter()} <= TAGS
        assert steering(svg) == []
        assert len(root.findall(f"{SVG}style")) == 1


def test_a_long_name_is_cut():
    name = "the length of the left petal in millimetres"
    shown = [text for text in texts(network_svg(mlp(2, 8, 1, names=(name, "b")))) if "the" in text]
    (text,) = shown
    assert text.endswith("…")
    assert name.startswith(text[:-1])


def test_either_part_may_be_missing_but_not_both():
    assert picture_svg(lab(), None, "light") == network_svg(lab(), "light")
    assert picture_svg(None, slope(), "dark") == surface_svg(slope(), "dark")
    with pytest.raises(ValueError, match="neither a network nor a surface"):
        picture_svg(None, None)


@pytest.mark.parametrize(
    "draw", [lambda t: network_svg(lab(), t), lambda t: surface_svg(slope(), t)]
)
def test_there_is_no_other_theme(draw):
    with pytest.raises(UsageError, match="theme 'sepia': must be one of light, dark, auto"):
        draw("sepia")


def test_a_picture_is_the_same_every_time():
    assert picture_svg(lab(), slope()) == picture_svg(lab(), slope())


def luminance(colour):
    """The relative luminance of WCAG 2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "unit"])
@pytest.mark.parametrize("ink", ["ink", "muted", "positive", "negative"])
def test_texts_can_be_read_on_their_paper(theme, paper, ink):
    one, other = sorted(luminance(_COLOURS[theme][name]) for name in (paper, ink))
    assert (other + 0.05) / (one + 0.05) >= 4.5
