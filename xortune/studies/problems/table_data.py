"""The table that a search names, and the one that a study began with, read again."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.xor.spec import DATA_NAMES
from xortune.settings import StudySettings
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.table.recipe import Recipe
    from xortune.problems.table.table import Table

# The keywords of a search that go with a table, besides `data`.
OF_A_TABLE = ("target", "task", "split", "split_seed", "drop", "text")


def requested_table(given: Mapping[str, Any], folds: int | None = None) -> Table:
    """The table that `data` and the keywords of `OF_A_TABLE` describe.

    Raises:
        UsageError: it cannot be used; the message says all that is wrong.
    """
    _check_file(given["data"])
    from xortune.problems.table.table import load_table

    about = {key: given[key] for key in OF_A_TABLE if key in given}
    return load_table(given["data"], folds=folds, **about)


def same_table(settings: StudySettings, name: str, data: Any) -> Table:
    """The study's table, read and prepared as it was.

    Raises:
        UsageError: it is another.
    """
    from xortune.problems.table.table import load_table_again

    _check_file(data)
    table = load_table_again(data, recipe_of(settings))
    recorded = settings.problem
    if table.digest != recorded.get("table_digest", recorded.get("digest")):
        raise UsageError(
            f"{option('data')} {brief(table.name)}: is not the data of study {name}, though it "
            "looks alike: a value differs. Name the data that the study began with, or begin a "
            "new study with this one."
        )
    return table


def recipe_of(settings: StudySettings) -> Recipe:
    """How the study's table is prepared; raises UsageError for a damaged record."""
    from xortune.problems.table.recipe import Recipe

    try:
        recipe = Recipe.from_dict(settings.problem.get("recipe", {}))
    except ValueError as error:
        raise UsageError(f"the study does not hold the recipe of a table: {error}") from None
    if recipe.folds != settings.folds:
        raise UsageError(
            f"the study has {settings.folds or 'no'} folds, and the recipe of its table "
            f"{recipe.folds or 'none'}: it is damaged."
        )
    return recipe


def _check_file(data: Any) -> None:
    """Raises UsageError for a name that is neither shipped nor a file."""
    if not isinstance(data, (str, Path)) or os.path.exists(data) or Path(data).suffix:  # noqa: PTH110
        return  # The reader of tables looks for a file of a similar name.
    close = difflib.get_close_matches(str(data), DATA_NAMES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UsageError(
        f"{option('data')} {brief(str(data))}: there is no such file, and the shipped data are "
        f"{' and '.join(DATA_NAMES)}.{hint}"
    )
