"""Text made harmless for the place where people see it."""

import csv
import io
import json
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.hostile import HOSTILE, steering
from xortune.escaping import csv_cell, json_text, markdown_cell, message, shell_word, visible

TEXTS = st.sampled_from(HOSTILE) | st.text()


@pytest.mark.parametrize("text", ["", "plain", "bce_with_logits", "Zürich, 東京", "a 'b' \"c\" $d"])
def test_what_is_harmless_stays_as_it_is(text) -> None:
    assert visible(text) == message(text) == csv_cell(text) == markdown_cell(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x9b\x7f", r"\x9b\x7f"),
        ("\u202e\U000e0041", r"\u202e\U000e0041"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_steers_is_spelled_out(text, expected) -> None:
    assert visible(text) == expected


@given(TEXTS)
def test_everything_visible_is_printable_and_on_one_line(text) -> None:
    assert visible(text).isprintable()
    visible(text).encode()


@given(TEXTS)
def test_no_line_of_a_message_passes_for_another_one(text) -> None:
    first, *others = message(text).split("\n")
    assert all(line.startswith("  ") for line in others)
    assert all(line.isprintable() for line in (first, *others))


@given(TEXTS)
def test_no_cell_of_a_csv_file_is_a_formula(text) -> None:
    cell = csv_cell(text)
    assert cell.isprintable()
    assert cell.lstrip()[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    assert cell.removeprefix("'") == visible(text).removeprefix("'")
    file = io.StringIO()
    csv.writer(file).writerow([cell])
    assert next(csv.reader([file.getvalue()])) == [cell]


def rendered(cell: str) -> str:
    """The only cell of a Markdown table, as HTML."""
    page = MarkdownIt("commonmark").enable("table").render(f"| a |\n| --- |\n| {cell} |\n")
    head, tail = page.index("<td>") + len("<td>"), page.index("</td>")
    assert page.count("<td>") == 1
    return page[head:tail]


def unescaped(html: str) -> str:
    for name, character in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("amp", "&")):
        html = html.replace(f"&{name};", character)
    return html


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_cell_of_markdown_shows_the_text_and_nothing_else(text) -> None:
    html = rendered(markdown_cell(text))
    assert "<" not in html
    assert unescaped(html) == visible(" ".join(text.split("\n"))).strip()


@given(st.recursive(TEXTS, st.lists, max_leaves=4))
def test_json_is_the_same_json(value) -> None:
    text = json_text(json.dumps(value))
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&\x7f") & set(text)


PATHS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1)
BYTES = st.binary(min_size=1).filter(lambda b: b"\0" not in b).map(
    lambda b: b.decode("utf-8", "surrogateescape")
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(PATHS | BYTES | st.sampled_from(HOSTILE), min_size=20, max_size=60))
def test_a_path_is_one_word_for_a_shell(paths) -> None:
    words = [shell_word(path) for path in paths]
    assert all(word.isprintable() for word in words)
    script = "".join(f"printf '%s\\0' {word}\n" for word in words)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    found = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    assert found == [f"./{path}" if path.startswith("-") else path for path in paths]


def test_a_plain_path_is_quoted_as_ever() -> None:
    for path in ("results/one", "with a space", "it's"):
        assert shell_word(path) == shlex.quote(path)


def test_the_hostile_texts_are_hostile() -> None:
    assert sum(bool(steering(text)) for text in HOSTILE) > 10
    assert not any(steering(visible(text)) for text in HOSTILE)
