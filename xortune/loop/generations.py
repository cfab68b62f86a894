"""Asking for the trials of a study, generation after generation, in number order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.sampling import ask_generation
from xortune.settings import Provenance, StudySettings
from xortune.space import load_space
from xortune.trial import Params, Trial
from xortune.trial_table import TrialTable
from xortune.wording import option


class Generations:
    """Asks for trials, and records them in the ledger before they are trained.

    Generations are parts of the study, not batches of a run: a study that is extended fills up
    its last one.

    Args:
        ledger: open for writing.
        table: the study's trials; new ones are added.
        settings: the study's.
        provenance: the study's.
        clock: measures sampling and writing.
    """

    def __init__(
        self,
        ledger: Ledger,
        table: TrialTable,
        settings: StudySettings,
        provenance: Provenance,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._table = table
        self._settings = settings
        self._provenance = provenance
        self._clock = clock
        self._space = load_space(settings.space, settings.spec)
        self._generation = -1
        self._asked: Iterator[Params] = iter(())
        self._next = self._last = 0

    @property
    def handed_out(self) -> bool:
        """Whether every trial of the generation was returned by `portion`."""
        return self._next == self._last

    def open(self) -> None:
        """Moves to the next generation; every trial before it must be finished."""
        settings = self._settings
        self._generation += 1
        size = settings.generation or settings.trials
        self._next = first = self._generation * size
        self._last = last = min(first + size, settings.trials)
        if len(self._table) >= last:
            return
        known = [self._table.params(number) for number in range(first, len(self._table))]
        with self._clock.sampling():
            asked = ask_generation(
                self._space,
                settings.sampler,
                settings.study_seed,
                self._generation,
                last - first,
                self._table.told(first),
                known,
                self._provenance.sampler_version,
            )
            self._asked = iter(asked)
            asked_before = list(islice(self._asked, len(known)))
        if not self._provenance.forced:
            _check_repeated(known, asked_before, self._generation)

    def portion(self, most: int) -> range:
        """The numbers of the next trials of the generation, all of which are recorded."""
        first = self._next
        self._next = last = min(first + most, self._last)
        self._ask(last)
        return range(first, last)

    def _ask(self, last: int) -> None:
        first = len(self._table)
        if first >= last:
            return
        with self._clock.sampling():
            asked = list(islice(self._asked, last - first))
        if len(asked) < last - first:
            raise XortuneError(_exhausted(first + len(asked)))
        new = [Trial(n, self._generation, params) for n, params in enumerate(asked, start=first)]
        with self._clock.writing():
            self._ledger.add_trials(new)
        for trial in new:
            self._table.add(trial)


def _check_repeated(known: Sequence[Params], asked: Sequence[Params], generation: int) -> None:
    if list(known) != list(asked[: len(known)]):
        raise XortuneError(
            f"generation {generation} was begun with trials that the sampler no longer proposes: "
            "another version of Optuna proposed them. Install that version to fill the "
            f"generation up, or resume with {option('force', True)}."
        )


def _exhausted(points: int) -> str:
    """The error for settings that were made elsewhere: `search` never asks for more."""
    return (
        f"the study asks for more trials than its space has points: there are only {points}. "
        "What is finished is kept; report shows it."
    )
