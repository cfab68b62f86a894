"""Text that tries to be more than text, where people see it."""

from __future__ import annotations

import re

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;another title\x07",
    "\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J",
    "\x08\x08\x08\x7f",
    "\u202egpj.exe",
    "\u2066isolated\u200b\ufeff",
    "\u2028another line\u2029",
    "one\nxortune: two",
    "one\r\ntwo\rthree",
    "[red]red[/red] [link=http://example.org]x[/link] :smile:",
    "[/]",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "=HYPERLINK(A1)",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\uff1d1",
    'say "=1", or',
    "a|b\\|c",
    "`code` *strong* __strong__ ~~gone~~",
    "[x](javascript:alert(1)) ![y](http://example.org/y.png)",
    "<http://example.org> http://example.org www.example.org",
    "../../../../etc/passwd",
    "$(touch pwned) `touch pwned` ; touch pwned",
)
_STEERING = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def steering(text: str) -> list[str]:
    """The characters of a text that a terminal would obey, line ends apart."""
    return _STEERING.findall(text)
