"""What a study records of a user's code, and how it tells that it has changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.code.code import Code


def recorded_code(kind: str, code: Code) -> dict[str, Any]:
    """Plain values, for reading: nothing runs them."""
    return {
        "kind": kind,
        "file": code.file,
        "name": code.name,
        "digest": code.digest,
        "text": code.text,
        "includes": {include.folder: include.digest for include in code.includes},
    }


def own_space(code: Code) -> Mapping[str, Any]:
    """The search space that a problem brings.

    Raises:
        UsageError: it brings none.
    """
    space = code.problem.space
    if space is None:
        raise UsageError(
            f"{code.named}: brings no search space. Add "
            'one to Problem: space={"rate": {"min": 0.001, "max": 0.1}}; or name a space file.'
        )
    return space


def name_of_file(file: str, otherwise: str) -> str:
    """The name of a problem from that of its file: `my-net.py` is `my_net`."""
    name = re.sub(r"\W", "_", file.removesuffix(".py")) or otherwise
    return name if name.isidentifier() else f"_{name}"


def change(recorded: Mapping[str, Any], code: Code) -> str | None:
    """What differs between the code of a recorded study and the code at hand; None if nothing."""
    there, here = recorded.get("digest"), code.digest
    if there == here and here is not None:
        named, name = code.name, recorded.get("name", code.name)
        if named == name:
            return None
        return f"{brief(named)} is named, and the study began with {brief(name)} of the same file"
    if there is None or here is None:
        return f"the text of its {recorded['kind']} is not known, so it may have changed"
    named = brief(recorded["file"]) if recorded.get("file") else f"its {recorded['kind']}"
    return f"{named} has another text than when the study began"
