"""The loop, the ledger, the report and TensorBoard on a problem that is not XOR."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.toy import SPACE, SPEC, HillEngine
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.loop.run_queue import RunQueue
from xortune.loop.runner import InlineRunner
from xortune.loop.search import Search
from xortune.paths import StudyPaths
from xortune.report import columns, tabulate, trials_frame
from xortune.settings import Provenance, RunOptions, StudySettings
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter


@pytest.fixture
def hill(tmp_path):
    """Searches the hill, in one go or in several; returns its paths."""

    def search(name, *totals, sampler="tpe", **options):
        paths = StudyPaths(tmp_path / name)
        settings = StudySettings(
            SPEC, SPACE, trials=totals[0], sampler=sampler, data="hill", generation=12
        )
        provenance = Provenance("hill-1", {"optuna": "5"})
        Ledger.create(paths, settings, provenance).close()
        for total in totals:
            with Ledger.open(paths) as ledger:
                ledger.record(
                    StudySettings.from_dict({**settings.to_dict(), "trials": total}),
                    ledger.provenance(),
                )
                clock = Clock()
                space = load_space(settings.space, SPEC)
                runs = RunQueue(RunWriter(paths, space), clock)
                loop = Search(ledger, HillEngine(), runs, clock, lambda p: None, lambda: None)
                InlineRunner(RunOptions(**options), "cpu").run(loop)
                runs.write_all()
                tabulate(ledger, paths)
        return paths

    return search


def frame_of(paths):
    with Ledger.read(paths) as ledger:
        return trials_frame(ledger.trials())


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_table_is_ranked_by_the_objective(hill, sampler):
    frame = frame_of(hill("one", 40, sampler=sampler))
    assert tuple(frame.columns) == columns(SPEC)
    complete = frame[frame["state"] == "COMPLETE"]
    assert complete["height"].is_monotonic_decreasing
    assert complete["final_loss"].equals(complete["gap"].rename("final_loss"))
    assert "solved" not in frame
    assert set(frame["wide"]) == {True, False}
    assert set(frame["size"]) == {8, 32}


def test_one_answer_in_any_packs_and_after_any_extension(hill):
    one_go = hill("one", 40)
    again = hill("two", 13, 30, 40, pack_size=3)
    assert frame_of(again).equals(frame_of(one_go))
    assert again.trials_csv.read_text() == one_go.trials_csv.read_text()


def test_tpe_climbs_higher_than_chance(hill):
    learnt, blind = (frame_of(hill(name, 200, sampler=name)) for name in ("tpe", "random"))
    high = [(frame[frame["number"] >= 100]["height"] > -1e-3).mean() for frame in (learnt, blind)]
    assert high[0] > high[1] + 0.1


def test_curves_weights_and_runs_are_the_problems_own(hill):
    paths = hill("one", 8)
    with Ledger.read(paths) as ledger:
        row = ledger.trial(3)
        curve, weights = ledger.curve(3), ledger.weights(3)
    assert curve.series.keys() == {"way"}
    assert curve.epochs[-1] == row.trial.params["steps"]
    assert weights.layout == (("x", (1,)),)
    (file,) = paths.run(3).iterdir()
    reader = EventAccumulator(str(file)).Reload()
    assert [point.step for point in reader.Scalars("way")] == list(curve.epochs)
    assert set(reader.Tags()["scalars"]) == {
        "way", "z_result/final_loss", "z_result/height", "z_result/reached",
    }  # fmt: skip
