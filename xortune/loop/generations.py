"""Asks for the trials of a study, generation after generation, in number order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.sampling import ask_generation
from xortune.settings import StudySettings
from xortune.space import load_space
from xortune.trial import Params, Trial
from xortune.trial_table import TrialTable
from xortune.wording import option


class Generations:
    """Asks for trials, and records them in the ledger before they are trained.

    Adds them to the table, too. Generations are parts of the study, not batches of a run:
    extending a study fills up its last one.
    """

    def __init__(self, ledger: Ledger, table: TrialTable, clock: Clock) -> None:
        self._ledger = ledger
        self._table = table
        self._settings = ledger.settings()
        self._provenance = ledger.provenance()
        self._clock = clock
        self._space = load_space(self._settings.space, self._settings.spec)
        self._spans = spans(self._settings)
        self._generation = -1
        self._asked: Iterator[Params] = iter(())
        self._next = self._last = 0

    @property
    def handed_out(self) -> bool:
        """Whether `portion` has returned every trial of the generation."""
        return self._next == self._last

    @property
    def numbers(self) -> range:
        """The trials of the generation."""
        return self._spans[self._generation] if self._generation >= 0 else range(0)

    @property
    def following(self) -> range:
        """The trials of the next generation."""
        return self._spans[self._generation + 1]

    def open(self) -> None:
        """Moves to the next generation; all earlier trials must be finished."""
        settings = self._settings
        self._generation += 1
        first, last = self.numbers.start, self.numbers.stop
        self._next, self._last = first, last
        if len(self._table) >= last:
            return
        known = [self._table.params(number) for number in range(first, len(self._table))]
        with self._clock.sampling():
            self._asked = ask_generation(
                self._space,
                settings.sampler,
                settings.study_seed,
                self._generation,
                last - first,
                self._table.told(first),
                known,
                self._provenance.sampler_version,
            )
            repeated = list(islice(self._asked, len(known)))
        if repeated != known and not self._provenance.forced:
            raise XortuneError(
                f"generation {self._generation} began with trials that the sampler no longer "
                "proposes: another version of Optuna proposed them. Install that version to fill "
                f"the generation up, or resume with {option('force', True)}."
            )

    def portion(self, most: int) -> range:
        """The numbers of the next trials of the generation, which are recorded."""
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
            # Only for settings made elsewhere: `search` never asks for more.
            raise XortuneError(
                "the study asks for more trials than its space has points: there are only "
                f"{first + len(asked)}. Finished trials are kept; report shows them."
            )
        new = [Trial(n, self._generation, params) for n, params in enumerate(asked, start=first)]
        with self._clock.writing():
            self._ledger.add_trials(new)
        for trial in new:
            self._table.add(trial)


def spans(settings: StudySettings) -> list[range]:
    """The trials of each generation.

    Extending a study fills up its last one, unless its trials were compared at rungs: then
    another begins where the study ended before.
    """
    size = settings.generation or settings.trials
    begins = [0, *settings.starts]
    ends = [*settings.starts, settings.trials]
    return [
        range(first, min(first + size, end))
        for begin, end in zip(begins, ends)
        for first in range(begin, end, size)
    ]
