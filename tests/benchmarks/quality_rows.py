"""What a search of a table finds, against Ray Tune's OptunaSearch over the same trials."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.core import CPUS, ROOT, Figure, Plan, Result, Row, Skipped, at_most
from tests.benchmarks.made_table import made_up_table
from tests.benchmarks.sampler_rows import OurSampler, best_losses, generation_size
from tests.benchmarks.stock_space_tune import EPOCHS, PATIENCE, tune_space
from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.native.build import built_library
from xortune.errors import NoEngineError
from xortune.problems.table.table import Table, load_table
from xortune.space import load_space, narrowed
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, Params

STUDIES, TRIALS, FEW = 10, 500, 100
TABLE, INPUTS = 2000, 8
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
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    table = load_table(made_up_table(TABLE, INPUTS), task="regression")
    engine = _engine(table)
    studies, opened = plan.size(STUDIES), engine.open("cpu")

    def train(trials: Sequence[Params]) -> list[Outcome]:
        return opened.train([*map(Lane, trials)], log_every=EPOCHS)

    found: dict[int, tuple[list[float], list[float]]] = {}
    for trials in (plan.size(TRIALS), plan.size(FEW)):
        ours = [_ours(engine.spec, seed, trials) for seed in range(studies)]
        stock = [StockSearch(engine.spec, seed, trials) for seed in range(studies)]
        found[trials] = best_losses(ours, trials, train), best_losses(stock, trials, train)
    figures = [
        _figure(f"best final loss of {trials} trials, median of {studies} studies", *losses, goal)
        for (trials, losses), goal in zip(found.items(), (at_most(1), None))
    ]
    notes = [
        f"Study seeds 0 to {studies - 1}, whatever --repeats says. Both search the same space and "
        "are told the same loss, the validation loss of the best epoch, by our engine: what Tune's "
        f"workers would train is not. OptunaSearch is asked for {CPUS} trials at a time in this "
        "process, as Tune with as many workers asks it; ours for a generation of "
        f"{_size(plan.size(TRIALS), engine.spec)}.",
        *(_pairs(trials, *losses) for trials, losses in found.items()),
    ]
    samples = {
        f"{trials} trials, {whose}": values
        for trials, losses in found.items()
        for whose, values in zip(("ours", "stock"), losses)
    }
    return Result(figures, samples, notes)


def _engine(table: Table) -> MlpEngine:
    from xortune.problems.table.spec import table_spec

    try:
        library = built_library()
    except NoEngineError as error:
        raise Skipped(str(error)) from error
    target = table.recipe.target
    return MlpEngine(table.training, table.validation, target, table_spec(target.task), library)


def _size(trials: int, spec: ProblemSpec) -> int:
    return generation_size(trials, spec, MlpEngine.generation)


def _ours(spec: ProblemSpec, study_seed: int, trials: int) -> OurSampler:
    space = narrowed(load_space(SPACE, spec), {"epochs": EPOCHS})
    return OurSampler(space, study_seed, trials, _size(trials, spec))


def _figure(what: str, ours: Sequence[float], stock: Sequence[float], goal: Any) -> Figure:
    medians = statistics.median(ours), statistics.median(stock)
    return Figure(
        what,
        f"{medians[0]:.4g}",
        f"OptunaSearch, {medians[1]:.4g}",
        [medians[0] / medians[1]],
        goal,
    )


def _pairs(trials: int, ours: Sequence[float], stock: Sequence[float]) -> str:
    better = sum(a <= b for a, b in zip(ours, stock, strict=True))
    return (
        f"Best final losses of {trials} trials: ours from {min(ours):.3g} to {max(ours):.3g}, "
        f"OptunaSearch's from {min(stock):.3g} to {max(stock):.3g}; ours is not worse in {better} "
        f"of {len(ours)} pairs."
    )


ROWS = (
    Row(
        31,
        "table-quality",
        "The best loss of the searches of row 28, over the default space with 20 epochs, against "
        "that of Ray Tune's OptunaSearch.",
        table_quality,
    ),
)
