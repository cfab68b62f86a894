"""What can be learnt of a table, apart from its code, which takes a while to import."""

from __future__ import annotations

from typing import Literal, get_args

# A number; one of two classes; one of several.
Task = Literal["regression", "binary", "classes"]
TASKS: tuple[Task, ...] = get_args(Task)
