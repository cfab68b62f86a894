"""Text that came from outside, made harmless for the place where people see it.

Names of folders and hosts, errors, and what stands in files may hold anything. The ledger, the
DataFrame and the parquet file keep it as it is; what is shown goes through one of these.
"""

from __future__ import annotations

import html
import re
import shlex

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")  # noqa: RUF001
# An underscore between letters, as in `train_loss`, marks nothing.
_MARKDOWN = re.compile(r"[\\|`*~\[\]]|(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"://|(?<=www)\.", re.IGNORECASE)


def visible(text: str) -> str:
    """One line in which every character shows: what a terminal would obey is spelled out.

    Control characters, those that change the direction of writing or have no width, line
    separators and surrogates come out as Python writes them, such as `\\x1b`.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def message(text: str) -> str:
    """A message of several lines, the later ones indented: no value can pass for a new one."""
    return "\n  ".join(map(visible, text.split("\n")))


def csv_cell(text: str) -> str:
    """One line that no spreadsheet takes for a formula: an apostrophe stands before it then."""
    return f"'{visible(text)}" if _FORMULA.match(text) else visible(text)


def markdown_cell(text: str) -> str:
    """One line without markup: no HTML, links, code, emphasis, or border of a table."""
    literal = html.escape(visible(" ".join(text.split("\n"))), quote=False)
    literal = _MARKDOWN.sub(r"\\\g<0>", literal)
    return _LINK.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), literal)


def json_text(json: str) -> str:
    """The same JSON, harmless also inside a page of HTML and on a terminal.

    Args:
        json: with everything beyond ASCII spelled out already.
    """
    for character in "<>&\x7f":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def shell_word(path: str) -> str:
    """A path as one word of a command that can be pasted into a POSIX shell.

    What does not show is spelled out in `$'...'`, which bash, zsh and ksh take.
    """
    path = f"./{path}" if path.startswith("-") else path
    if path.isprintable():
        return shlex.quote(path)
    spelled = (_octal(c) if c in "\\'" or not c.isprintable() else c for c in path)
    return f"$'{''.join(spelled)}'"


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
