"""Light and dark: the style of a drawing, and the SVG around its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from xortune.drawing.elements import Part, coordinate, element, literal
from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.wording import option

Theme = Literal["light", "dark", "auto"]
THEMES: tuple[Theme, ...] = get_args(Theme)
FONTS = "'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
# Of texts beyond ASCII, for renderers that look for all letters of a text in one font.
FONT_OF_OTHERS = "Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_GAP = 28.0  # between two parts

# Texts have a contrast of at least 4.5 to the paper, and lines of at least 3.
_COLOURS = {
    "light": {
        "paper": "#ffffff", "ink": "#1d222b", "muted": "#59626f", "line": "#c4cad3",
        "unit": "#f2f4f8", "positive": "#0b5ba8", "negative": "#b0440c",
    },
    "dark": {
        "paper": "#14171c", "ink": "#e9ebef", "muted": "#a2abb8", "line": "#464e5a",
        "unit": "#222832", "positive": "#62b0f5", "negative": "#f2935a",
    },
}  # fmt: skip
_RULES = (
    ("d-paper", "fill", "paper"), ("d-ink", "fill", "ink"), ("d-muted", "fill", "muted"),
    ("d-unit", "fill", "unit"), ("d-unit", "stroke", "ink"), ("d-frame", "stroke", "muted"),
    ("d-rule", "stroke", "line"), ("d-dot", "stroke", "paper"), ("d-bound", "stroke", "ink"),
    ("d-halo", "stroke", "paper"), ("d-positive", "stroke", "positive"),
    ("d-negative", "stroke", "negative"), ("d-plus", "fill", "positive"),
    ("d-minus", "fill", "negative"),
)  # fmt: skip
# A halo keeps text readable where lines pass behind it.
_FIXED = (
    f"{{font-family:{FONTS}}}",
    f" .d-other{{font-family:{FONT_OF_OTHERS}}}",
    " .d-halo{paint-order:stroke;stroke-width:5px;stroke-linejoin:round}",
)


def svg_of(parts: Sequence[Part], theme: str) -> str:
    """Parts beside each other as one complete SVG."""
    check_theme(theme)
    width = sum(part.width for part in parts) + _GAP * (len(parts) - 1)
    height = max(part.height for part in parts)
    content, x = [], 0.0
    for part in parts:
        place = f"translate({coordinate(x)} {coordinate((height - part.height) / 2)})"
        content.append(element("g", part.body, transform=place))
        x += part.width + _GAP
    words = " ".join(part.words for part in parts)
    return element(
        "svg",
        element("title", literal(" beside ".join(part.title for part in parts))),
        element("desc", literal(words, 4000)),
        element("style", _style(theme)),
        element("rect", class_="d-paper", width=width, height=height),
        *content,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        class_=f"xortune-drawing-{theme}",
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=width,
        height=height,
        style="max-width:100%;height:auto",
    )


def variants(theme: str) -> tuple[str, ...]:
    """The themes that an SVG must hold, since images in it do not follow CSS."""
    return ("light", "dark") if theme == "auto" else (theme,)


def only(variant: str, theme: str, body: str) -> str:
    """A body that shows in one variant of the theme alone."""
    return element("g", body, class_=f"d-only-{variant}") if theme == "auto" else body


def check_theme(theme: str) -> None:
    """Raises UsageError unless there is such a theme."""
    if theme not in THEMES:
        raise UsageError(f"{option('theme')} {brief(theme)}: must be one of {', '.join(THEMES)}.")


def _style(theme: str) -> str:
    """The rules for one drawing: those of several on one page do not meet.

    `auto` follows the attribute `data-theme` of an element around it, or else the reader's own
    choice of light or dark; paper is always light. A page may set `--drawing-paper`,
    `--drawing-ink` and the like too.
    """
    root = f".xortune-drawing-{theme}"
    rules = "".join(f"{root}{rule}" for rule in _FIXED)
    if theme != "auto":
        return rules + _rules(root, _COLOURS[theme])
    light, dark = _variables("light"), _variables("dark")
    colours = {name: f"var(--drawing-{name},var(--d-{name}))" for name in _COLOURS["light"]}
    return (
        f"{root}{{{light}}}@media screen and (prefers-color-scheme:dark){{{root}{{{dark}}}}}"
        f"[data-theme=light] {root}{{{light}}}"
        f"@media screen{{[data-theme=dark] {root}{{{dark}}}}}"
        f"{rules}{_rules(root, colours)}"
        f"{root} .d-only-light{{display:var(--d-light)}}"
        f"{root} .d-only-dark{{display:var(--d-dark)}}"
    )


def _rules(root: str, colours: dict[str, str]) -> str:
    return "".join(f"{root} .{name}{{{key}:{colours[of]}}}" for name, key, of in _RULES)


def _variables(variant: str) -> str:
    shown = "".join(
        f"--d-{name}:{'inline' if name == variant else 'none'};" for name in ("light", "dark")
    )
    return shown + "".join(f"--d-{name}:{value};" for name, value in _COLOURS[variant].items())
