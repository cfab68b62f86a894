"""The graphs of a study's modules, recorded once for each structure."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Mapping
from typing import Any

from xortune.errors import XortuneError
from xortune.prints import hidden_prints
from xortune.problems.module.declared import keyword_values
from xortune.problems.module.graph import graph_of
from xortune.problems.module.lesson import ModuleLesson, seeded_generators
from xortune.problems.module.weights import layout_of
from xortune.problems.table.arithmetic import undisturbed
from xortune.spec import GraphNode

_log = logging.getLogger("xortune")

_MOST = 256  # structures that are kept

Graph = tuple[GraphNode, ...]


class Graphs:
    """Builds a module for each combination of keywords, and records it if its structure is new.

    Keywords that are fractions, such as the rate of a dropout, make a new structure only with other
    shapes: otherwise each trial would have one.

    Args:
        lesson: of the problem.
        keywords: those of its model.
    """

    def __init__(self, lesson: ModuleLesson, keywords: Mapping[str, inspect.Parameter]) -> None:
        self._lesson = lesson
        self._keywords = keywords
        self._known: dict[Any, Graph] = {}
        self._is_said = False

    def of(self, params: Mapping[str, Any]) -> Graph:
        """The graph of a trial's module; empty where it cannot be recorded, which is said once."""
        values = keyword_values(self._keywords, params)
        key = tuple(values.items())
        if key not in self._known:
            self._keep(key, self._recorded(params, values))
        return self._known[key]

    def _recorded(self, params: Mapping[str, Any], values: Mapping[str, Any]) -> Graph:
        # What a module does to its process is not the search's.
        with (
            seeded_generators(),
            undisturbed(),
            hidden_prints(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            try:
                module = self._lesson.build(params)
                key = (_not_fractions(values), layout_of(module))
                if key not in self._known:
                    self._keep(key, graph_of(module, self._lesson.x))
                return self._known[key]
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._say(error)
                return ()

    def _keep(self, key: Any, graph: Graph) -> None:
        if len(self._known) >= 2 * _MOST:
            self._known.clear()
        self._known[key] = graph

    def _say(self, error: BaseException) -> None:
        if not self._is_said:
            self._is_said = True
            why = str(error) if isinstance(error, XortuneError) else self._lesson.words(error)
            _log.info(f"TensorBoard gets no graph of the module: {why}.")


def _not_fractions(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(item for item in values.items() if not isinstance(item[1], float))
