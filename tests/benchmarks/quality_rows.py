"""What a search of a table finds, against Ray Tune's OptunaSearch over the same trials."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from tests.benchmarks.core import CPUS, ROOT, Figure, Plan, Result, Row, Skipped, at_most
from tests.benchmarks.made_table import made_up_table
from tests.benchmarks.sampler_rows import OurSampler, best_losses, generation_size
from tests.benchmarks.stock_space_tune import EPOCHS, PATIENCE, tune_space
from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.native.build import built_library
from xortune.errors import NoEngineError
from xortune.problems.table.spec import table_spec
from xortune.problems.table.table import load_table
from xortune.space import load_space, narrowed
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, Params

STUDIES, TRIALS = 10, 500
TABLE, INPUTS = 2000, 8
OURS, STOCK = "ours", "OptunaSearch"
SPACE = ROOT / "tests" / "benchmarks" / "default_table.yaml"


class StockSearch:
    """OptunaSearch as Tune asks it: for as many trials at once as there are cores.

    Args:
        spec: the table's.
        study_seed: of the sampler.
        trials: how many the search has in all.
    """

    def __init__(self, spec: ProblemSpec, study_seed: int, trials: int) -> None:
        from ray.tune.search.optuna import OptunaSearch

        self._spec = spec
        self._searcher = OptunaSearch(seed=study_seed)
        self._searcher.set_search_properties("loss", "min", tune_space())
        self._left = trials
        self._names: list[str] = []

    def ask(self) -> list[Params]:
        first = self._left
        self._left -= min(CPUS, self._left)
        self._names = [str(number) for number in range(first, self._left, -1)]
        return [self._assignment(self._searcher.suggest(name)) for name in self._names]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        for name, outcome in zip(self._names, outcomes, strict=True):
            result = outcome.scores and {"loss": outcome.scores["mse"]}
            self._searcher.on_trial_complete(name, result, error=result is None)

    def _assignment(self, config: Any) -> Params:
        return self._spec.assignment({**config, "epochs": EPOCHS, "early_stopping": PATIENCE})


def table_quality(plan: Plan) -> Result:
    studies, trials = plan.size(STUDIES), plan.size(TRIALS)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        found = [pool.submit(best_found, whose, studies, trials) for whose in (OURS, STOCK)]
        ours, stock = (one.result() for one in found)
    medians = statistics.median(ours), statistics.median(stock)
    figure = Figure(
        f"best final loss of {trials} trials, median of {studies} studies",
        f"{medians[0]:.4g}",
        f"OptunaSearch, {medians[1]:.4g}",
        [medians[0] / medians[1]],
        at_most(1),
    )
    better = sum(a <= b for a, b in zip(ours, stock, strict=True))
    notes = [
        f"Study seeds 0 to {studies - 1}, whatever --repeats says. Both search the same space, and "
        "are told the validation loss of the best epoch as our engine finds it. OptunaSearch is "
        f"asked without Tune, for {CPUS} trials at a time, as Tune asks it here; ours for a "
        f"generation of {generation_size(trials, table_spec('regression'), MlpEngine.generation)}.",
        f"Best final losses: ours from {min(ours):.3g} to {max(ours):.3g}, OptunaSearch's from "
        f"{min(stock):.3g} to {max(stock):.3g}; ours is not worse in {better} of {studies} pairs.",
    ]
    return Result([figure], {OURS: ours, STOCK: stock}, notes)


def best_found(whose: str, studies: int, trials: int) -> list[float]:
    """The best losses of some searches, by our sampler or by OptunaSearch.

    Raises:
        Skipped: the compiled engine is not available on this machine.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    table = load_table(made_up_table(TABLE, INPUTS), task="regression")
    spec = table_spec("regression")
    try:
        library = built_library()
    except NoEngineError as error:
        raise Skipped(str(error)) from error
    rows = table.training, table.validation, table.recipe.target
    trainer = MlpEngine(rows, spec, library).open("cpu")

    def train(asked: Sequence[Params]) -> list[Outcome]:
        return trainer.train([*map(Lane, asked)], log_every=EPOCHS)

    make = _ours if whose == OURS else StockSearch
    return best_losses([make(spec, seed, trials) for seed in range(studies)], trials, train)


def _ours(spec: ProblemSpec, study_seed: int, trials: int) -> OurSampler:
    space = narrowed(load_space(SPACE, spec), {"epochs": EPOCHS})
    size = generation_size(trials, spec, MlpEngine.generation)
    return OurSampler(space, study_seed, trials, size)


ROWS = (
    Row(
        31,
        "table-quality",
        "The best loss of the searches of row 28, over the default space with 20 epochs, against "
        "that of Ray Tune's OptunaSearch.",
        table_quality,
    ),
)
