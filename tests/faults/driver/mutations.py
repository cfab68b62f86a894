"""Bytes of a ledger, changed in the ways that disks and people change them."""

from __future__ import annotations

import random

PAGE = 4096


def mutated(content: bytes, seed: int) -> bytes:
    """The content with one change, which may by chance be none."""
    dice = random.Random(seed)
    change = dice.choice([_flip, _flip, _flip, _in_header, _run, _zeros, _cut, _swap, _drop, _add])
    return change(content, dice)


def _flip(content: bytes, dice: random.Random) -> bytes:
    # Most of a page is free room: half of the flips hit what is used.
    places = [at for at, byte in enumerate(content) if byte] if dice.random() < 0.5 else content
    return _with(
        content, dice.choice(places) if places is not content else _at(content, dice), dice
    )


def _in_header(content: bytes, dice: random.Random) -> bytes:
    return _with(content, dice.randrange(108), dice)


def _with(content: bytes, at: int, dice: random.Random) -> bytes:
    changed = bytearray(content)
    changed[at] ^= dice.choice([1 << dice.randrange(8), dice.randrange(1, 256)])
    return bytes(changed)


def _run(content: bytes, dice: random.Random) -> bytes:
    at, length = _at(content, dice), dice.choice([2, 8, 100, 1000])
    new = dice.randbytes(length) if dice.random() < 0.7 else b"\xff" * length
    return (content[:at] + new + content[at + length :])[: len(content)]


def _zeros(content: bytes, dice: random.Random) -> bytes:
    at = _page(content, dice)
    return content[:at] + b"\0" * PAGE + content[at + PAGE :]


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.choice([_at(content, dice), _page(content, dice)])]


def _swap(content: bytes, dice: random.Random) -> bytes:
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    one, other = dice.sample(range(len(pages)), 2)
    pages[one], pages[other] = pages[other], pages[one]
    return b"".join(pages)


def _drop(content: bytes, dice: random.Random) -> bytes:
    at, length = _at(content, dice), dice.choice([1, 10, PAGE])
    return content[:at] + content[at + length :]


def _add(content: bytes, dice: random.Random) -> bytes:
    at = dice.choice([_at(content, dice), len(content)])
    return content[:at] + dice.randbytes(dice.choice([1, 100, PAGE])) + content[at:]


def _at(content: bytes, dice: random.Random) -> int:
    return dice.randrange(len(content))


def _page(content: bytes, dice: random.Random) -> int:
    return dice.randrange(0, len(content), PAGE)
