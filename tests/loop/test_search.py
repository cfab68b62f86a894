"""The search loop: packs, generations, lost packs, and what a crash leaves undone."""

import shutil
from dataclasses import replace

import pytest

import xortune
from tests.make import EAGER, SPEC, make_outcome, make_provenance, make_scores, make_settings
from xortune.engines.xor.engines import EagerEngine
from xortune.errors import Interrupted, XortuneError
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.loop.run_queue import RunQueue
from xortune.loop.search import Search
from xortune.paths import StudyPaths
from xortune.space import load_space
from xortune.tensorboard.runs import RunWriter

DONE = make_outcome(scores=make_scores(0.1, 0.1, 0.2, 1.0))


@pytest.fixture
def make_search(tmp_path):
    """Makes a search with nothing trained yet, and the list of progress that it tells."""
    ledgers = []

    def make(workers=1, pack_size=None, retries=0, space="smoke", **settings):
        space = load_space(space, SPEC)
        recorded = make_settings(space=space.parameters, **{"sampler": "random", **settings})
        paths = StudyPaths(tmp_path / f"study-{len(ledgers)}")
        ledger = Ledger.create(paths, recorded, make_provenance(EAGER))
        ledgers.append(ledger)
        told = []
        clock = Clock()
        runs = RunQueue(RunWriter(paths, space), clock)
        engine = EagerEngine("xor")
        search = Search(ledger, engine, runs, clock, told.append, lambda: None)
        search.start({"cpu": workers}, pack_size, retries)
        return search, ledger, told

    yield make
    for ledger in ledgers:
        ledger.close()


def finish(search, pack):
    search.finish(pack, [DONE] * len(pack.trials))


def test_generations_come_one_after_the_other(make_search):
    search, _, told = make_search(trials=10, generation=4, pack_size=3)
    sizes = []
    while not search.finished:
        packs = [search.next_pack(), search.next_pack()]
        assert search.next_pack() is None
        for pack in reversed(packs):
            if pack is not None:
                sizes.append((pack.trials[0].generation, len(pack.trials)))
                finish(search, pack)
    assert sizes == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 2)]
    assert [progress.done for progress in told] == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("trials", "workers", "epochs", "packs"),
    [
        (600, 8, 1_000, 1),  # too little work to share
        (600, 2, 1_000_000, 2),
        (600, 8, 50_000, 3),  # half a second each
        (5_000, 1, 1, 2),  # too many for one pack
    ],
)
def test_packs_are_shared_out_by_the_work_in_them(make_search, trials, workers, epochs, packs):
    space = {"epochs": {"value": epochs}, "seed": {"min": 0, "max": 9999}}
    search, _, _ = make_search(workers=workers, space=space, trials=trials)
    sizes = [len(pack.trials) for pack in iter(search.next_pack, None)]
    assert len(sizes) == packs
    assert sum(sizes) == trials
    assert max(sizes) <= 4096


def test_the_packs_of_a_generation_take_about_equally_long(make_search):
    space = {"epochs": {"distribution": "q_log_uniform_values", "min": 1, "max": 10_000, "q": 1}}
    search, _, _ = make_search(pack_size=25, space=space, trials=100)
    packs = list(iter(search.next_pack, None))
    epochs = [sum(trial.params["epochs"] for trial in pack.trials) for pack in packs]
    assert [len(pack.trials) for pack in packs] == [25] * 4
    assert max(epochs) < 1.2 * min(epochs)


def test_workers_that_join_late_count_in_the_next_generation(make_search):
    space = {"epochs": {"value": 1_000_000}, "seed": {"min": 0, "max": 9999}}
    search, _, _ = make_search(space=space, trials=400, generation=200)
    workers = {"cpu": 1}
    search.start(workers, None, 0)
    finish(search, search.next_pack())
    workers["cpu"] = 2
    assert [len(pack.trials) for pack in iter(search.next_pack, None)] == [100, 100]


def test_trials_are_asked_for_ahead_while_workers_train(make_search):
    search, ledger, _ = make_search(trials=9000)
    search.next_pack()
    assert len(ledger.trials()) == 4096
    search.spare_time()
    assert len(ledger.trials()) == 8192
    search.spare_time()
    assert len(ledger.trials()) == 8192


def test_runs_are_written_in_spare_time(make_search, tmp_path):
    search, *_ = make_search(trials=3)
    finish(search, search.next_pack())
    assert list(tmp_path.glob("*/tensorboard")) == []
    search.runs.write_all()
    assert len(list(tmp_path.glob("*/tensorboard/*/events.*"))) == 3


def test_a_lost_pack_is_handed_out_again(make_search):
    search, ledger, told = make_search(trials=4, pack_size=2, retries=1)
    first, second = search.next_pack(), search.next_pack()
    search.lost(first, "its worker died")
    again = search.next_pack()
    assert again.trials == first.trials
    finish(search, second)
    finish(search, again)
    assert search.finished
    assert [row.outcome.state for row in ledger.trials()] == ["COMPLETE"] * 4
    assert [progress.done for progress in told] == [0, 2, 4]


def test_late_outcomes_of_a_lost_pack_are_refused(make_search):
    search, ledger, told = make_search(trials=2, retries=1)
    pack = search.next_pack()
    search.lost(pack, "no answer in 1 s")
    late = make_outcome(scores=make_scores(9.0, 9.0, 9.0, 0.0))
    search.finish(pack, [late] * 2)
    search.lost(pack, "its worker died")
    assert len(told) == 1
    finish(search, search.next_pack())
    search.finish(pack, [late] * 2)
    assert [row.outcome.scores for row in ledger.trials()] == [DONE.scores] * 2
    assert search.next_pack() is None


def test_a_trial_that_always_loses_its_worker_fails_alone(make_search):
    search, ledger, told = make_search(trials=6, generation=3, retries=1)
    while (pack := search.next_pack()) is not None:
        if any(trial.number == 4 for trial in pack.trials):
            search.lost(pack, "its worker died")
        else:
            finish(search, pack)
    errors = [row.outcome.error for row in ledger.trials()]
    assert errors == [None] * 4 + ["given up after 2 tries alone: its worker died", None]
    assert told[-1].failed == 1
    assert [row.outcome.state for row in ledger.trials()].count("COMPLETE") == 5


def test_the_trials_of_a_study_on_both_devices_go_where_its_settings_say(make_search):
    search, _, _ = make_search(trials=10, device="both", cuda_share=0.3)
    on_cuda, on_cpu = search.next_pack("cuda"), search.next_pack("cpu")
    assert (on_cuda.device, on_cpu.device) == ("cuda", "cpu")
    assert len(on_cuda.trials) == 3
    assert search.next_pack("cuda") is search.next_pack("cpu") is None
    numbers = [trial.number for pack in (on_cuda, on_cpu) for trial in pack.trials]
    assert sorted(numbers) == list(range(10))


def test_a_generation_waits_for_the_packs_of_the_other_device(make_search):
    search, _, _ = make_search(trials=8, generation=4, device="both")
    finish(search, search.next_pack("cuda"))
    assert search.next_pack("cuda") is None
    finish(search, search.next_pack("cpu"))
    assert search.next_pack("cuda").trials[0].generation == 1


def test_what_is_finished_is_in_the_ledger_at_once(make_search):
    search, ledger, _ = make_search(trials=4, pack_size=1)
    pack = search.next_pack()
    finish(search, pack)
    done = [row.trial for row in ledger.trials() if row.outcome is not None]
    assert tuple(done) == pack.trials


def test_a_generation_learns_from_every_trial_before_it(make_search):
    def second_generation(good):
        search, _, _ = make_search(trials=14, generation=12, sampler="tpe")
        pack = search.next_pack()
        losses = [0.001 if n == good else 0.2 + n / 100 for n in range(12)]
        search.finish(pack, [make_outcome(scores=make_scores(x, x, x, 1.0)) for x in losses])
        return [trial.params for trial in search.next_pack().trials]

    asked = [second_generation(good) for good in (1, 6, 11)]
    assert asked[0] != asked[1] != asked[2] != asked[0]


def test_the_best_is_told(make_search):
    search, _, told = make_search(trials=2, pack_size=1)
    first, second = search.next_pack(), search.next_pack()
    finish(search, first)
    better = make_outcome(scores=make_scores(0.1, 0.01, 0.2, 1.0))
    search.finish(second, [better])
    numbers = [pack.trials[0].number for pack in (first, second)]
    assert [progress.best for progress in told] == [None, (numbers[0], 0.1), (numbers[1], 0.01)]


def test_runs_that_a_crash_left_out_are_written(tmp_path):
    study = xortune.search("smoke", trials=6, runner="inline", name="s", results=tmp_path)
    before = sorted(path.name for path in study.paths.tensorboard.iterdir())
    shutil.rmtree(study.paths.run(2))
    (run,) = study.paths.run(4).iterdir()
    run.rename(run.with_name(".partial"))
    xortune.resume(study.paths.folder, runner="inline")
    assert sorted(path.name for path in study.paths.tensorboard.iterdir()) == before
    assert len(list(study.paths.tensorboard.glob("*/events.out.tfevents.*"))) == 6


def test_an_interruption_keeps_tables_and_names_the_study(tmp_path):
    def interrupt(progress):
        if progress.done == 2:
            raise Interrupted(2)

    with pytest.raises(Interrupted) as caught:
        xortune.search(
            "smoke",
            trials=6,
            pack_size=2,
            runner="inline",
            name="s",
            results=tmp_path,
            on_progress=interrupt,
        )
    assert caught.value.folder == tmp_path / "s"
    states = xortune.load(tmp_path / "s").trials["state"].tolist()
    assert states == ["COMPLETE"] * 2 + ["WAITING"] * 4
    assert len((tmp_path / "s" / "trials.csv").read_text().splitlines()) == 7


def test_another_proposal_than_the_recorded_one_is_an_error(tmp_path):
    study = xortune.search(
        "smoke", trials=3, generation=6, runner="inline", name="s", results=tmp_path
    )
    with Ledger.open(study.paths) as ledger:
        ledger.record(replace(ledger.settings(), study_seed=5), ledger.provenance())
    with pytest.raises(XortuneError, match="another version of Optuna"):
        xortune.resume(study.paths.folder, trials=6, runner="inline")
