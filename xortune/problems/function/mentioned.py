"""Finds the metrics that the text of a training function mentions, without running it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from xortune.problems.sources import source_of

_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def mentioned_metrics(train: Callable[..., Any]) -> tuple[str, ...]:
    """The metrics that a training function reports or returns by name, in the order of its text.

    These are the keywords of calls of its second parameter, and the constant keys of dictionaries
    that stand in its `return` statements. Empty if there is no text, as for a lambda that shares
    its line with other code.
    """
    text = source_of(train)
    try:
        names = list(inspect.signature(train).parameters)
        tree = ast.parse(textwrap.dedent(text or ""))
    except (SyntaxError, TypeError, ValueError):
        return ()
    function = next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)
    if function is None or len(names) < 2:
        return ()
    mentions = sorted([*_reported(function, names[1]), *_returned(function)])
    return tuple(dict.fromkeys(name for _, _, name in mentions))


def _reported(function: ast.FunctionDef, report: str) -> Iterator[tuple[int, int, str]]:
    """The line, column and name of every keyword that the function `report` is called with."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == report
        ):
            for keyword in node.keywords:
                if keyword.arg is not None and keyword.arg != "epoch":
                    yield keyword.lineno, keyword.col_offset, keyword.arg


def _returned(function: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Likewise, every constant key of a dictionary that the function itself returns."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, _INNER):
            continue
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            for key in node.value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.lineno, key.col_offset, key.value
        yield from _returned(node)
