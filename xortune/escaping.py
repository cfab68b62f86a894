"""Escapes untrusted text for terminals, CSV, Markdown, JSON and shells.

Names of folders and hosts, errors and the content of files may hold anything. The ledger, the
DataFrame and the parquet file keep them unchanged; everything shown is escaped here.
"""

from __future__ import annotations

import re
import shlex

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")  # noqa: RUF001
# An underscore between letters, as in `train_loss`, is not markup.
_MARKDOWN = re.compile(r"[\\|`*~\[\]]|(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"://|(?<=www)\.", re.IGNORECASE)


def visible(text: str) -> str:
    """One line with only printable characters.

    Others, such as control characters, are written as escapes, such as `\\x1b`.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def message(text: str) -> str:
    """A message whose later lines are indented, so that no value looks like a new message."""
    return "\n  ".join(map(visible, text.split("\n")))


def csv_cell(text: str) -> str:
    """One line, with an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{visible(text)}" if _FORMULA.match(text) else visible(text)


def markdown_cell(text: str) -> str:
    """One line without markup: no HTML, links, code, emphasis, or table borders."""
    import html  # with all of its entities: only reports need it

    literal = html.escape(visible(" ".join(text.split("\n"))), quote=False)
    literal = _MARKDOWN.sub(r"\\\g<0>", literal)
    return _LINK.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), literal)


def json_text(json: str) -> str:
    """ASCII JSON, harmless also inside an HTML page and on a terminal."""
    for character in "<>&\x7f":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def shell_word(path: str) -> str:
    """A path as one word of a command for a POSIX shell.

    Unprintable characters are escaped in `$'...'`, which bash, zsh and ksh understand.
    """
    path = f"./{path}" if path.startswith("-") else path
    if path.isprintable():
        return shlex.quote(path)
    spelled = (_octal(c) if c in "\\'" or not c.isprintable() else c for c in path)
    return f"$'{''.join(spelled)}'"


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
