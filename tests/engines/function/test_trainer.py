"""The process that calls a function: packs, failures, deaths, time-outs, interruptions."""

import gc
import logging
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines.function.functions import answer, engine_for, engine_of
from tests.make import lanes
from xortune.engines.function.engine import FunctionEngine
from xortune.engines.function.seeding import seed_of
from xortune.engines.function.trainer import PROBE
from xortune.errors import Interrupted, NoEngineError
from xortune.interrupt import descendants
from xortune.trial import Lane


@pytest.fixture(scope="module")
def opened():
    engine, spec = engine_of()
    return engine.open("cpu"), spec


def trial(spec, how="well", **values):
    return spec.assignment({"x": 0.5, "epochs": 3, "how": how, "seed": 0, **values})


def drawing(config, report):
    import random

    import numpy as np
    import torch

    fold, folds = config.get("fold", -1), config.get("folds", -1)
    drawn = {"python": random.random(), "numpy": np.random.rand(), "torch": float(torch.rand(1))}
    return {"loss": 0.0, "fold": 1.0, "part": fold, "parts": folds, "size": len(config), **drawn}


DRAWN = ("python", "numpy", "torch")


@pytest.fixture(scope="module")
def drawn():
    metrics = [*DRAWN, "part", "parts", "size"]
    engine, spec = engine_for(drawing, {"x": {"value": 1}}, metrics=metrics)
    engine = FunctionEngine(engine._code, spec, 0, folds=3)
    return engine.open("cpu"), spec


def children():
    return set(descendants(os.getpid()))


MIXED = ["well", "raise", "nan", "well", "sigsegv", "well", "exit", "well"]


@pytest.fixture(scope="module")
def alone(opened):
    """The outcomes of mixed trials, each in a pack of its own, in reverse order."""
    trainer, spec = opened
    numbers = range(len(MIXED))
    outcomes = {
        n: trainer.train(lanes([trial(spec, MIXED[n])], numbers=[n]), None)[0]
        for n in reversed(numbers)
    }
    return answer(outcomes[n] for n in numbers)


def test_a_trial_fails_alone_and_says_why(alone):
    assert [state for state, *_ in alone] == [
        "FAIL" if how in ("raise", "nan", "sigsegv", "exit") else "COMPLETE" for how in MIXED
    ]
    errors = [error for *_, error in alone if error]
    assert errors[0].startswith("ValueError: x is too large (trained.py:")
    assert errors[1:] == [
        "loss is not finite: nan",
        "its process ended: SIGSEGV",
        "its process ended: exit code 3",
    ]


@pytest.mark.parametrize("size", [2, 7, 8])
def test_no_pack_and_no_neighbour_changes_a_trial(opened, alone, size):
    trainer, spec = opened
    outcomes = {}
    for first in range(0, len(MIXED), size):
        numbers = list(range(first, min(first + size, len(MIXED))))[::-1]
        params = [trial(spec, MIXED[n]) for n in numbers]
        outcomes.update(zip(numbers, trainer.train(lanes(params, numbers=numbers), None)))
    assert answer(outcomes[n] for n in range(len(MIXED))) == alone


def test_another_process_gives_the_same_bits(opened):
    trainer, spec = opened
    engine, _ = engine_of()
    other = pickle.loads(pickle.dumps(engine)).open("cpu")
    params = [trial(spec, x=n / 64) for n in range(64)]
    numbers = range(64)
    here, there = (t.train(lanes(params, numbers=numbers), None) for t in (trainer, other))
    assert answer(here) == answer(there)
    assert len({repr(o.scores) for o in here}) == 64


def test_the_seed_of_the_study_and_the_number_decide(opened):
    trainer, spec = opened
    params = [trial(spec)]
    (first,) = trainer.train(lanes(params, numbers=[1]), None)
    (number,) = trainer.train(lanes(params, numbers=[2]), None)
    other, _ = engine_of(seed=1)
    (seed,) = other.open("cpu").train(lanes(params, numbers=[1]), None)
    assert len({repr(o.scores) for o in (first, number, seed)}) == 3


def test_a_lanes_seed_seeds_all_generators_whatever_its_number(drawn):
    import random

    import numpy as np
    import torch

    trainer, spec = drawn
    random.seed(7)
    expected = [random.random(), np.random.RandomState(7).rand()]
    expected.append(float(torch.rand(1, generator=torch.Generator().manual_seed(7))))
    numbers = [Lane(spec.defaults, 3, seed=7), Lane(spec.defaults, 4, seed=7)]
    for outcome in trainer.train(numbers, None):
        assert [outcome.scores[name] for name in DRAWN] == expected


def test_a_lane_without_a_seed_draws_as_it_always_did(drawn):
    trainer, spec = drawn
    plain = Lane(spec.defaults, 3)
    outcomes = trainer.train(
        [plain._replace(seed=seed_of(0, 3)), plain, plain._replace(seed=3)], None
    )
    first, same, other = (tuple(o.scores[name] for name in DRAWN) for o in outcomes)
    assert first == same
    assert not {*first} & {*other}


def test_the_fold_is_in_the_configuration_of_lanes_that_have_one(drawn):
    trainer, spec = drawn
    outcomes = trainer.train([Lane(spec.defaults, 3, fold=fold) for fold in (None, 0, 2)], None)
    found = [tuple(o.scores[name] for name in ("part", "parts", "size")) for o in outcomes]
    assert found == [(-1, -1, 1), (0, 3, 3), (2, 3, 3)]


@pytest.mark.parametrize("how", ["well", "raise", "exit"])
def test_a_pruned_trial_ends_at_its_limit_and_its_neighbours_go_on(opened, how):
    trainer, spec = opened
    params = trial(spec, how, epochs=20)
    (alone,) = trainer.train([Lane(params, 1)], None)
    pruned, kept = trainer.train([Lane(params, 1, limits=((6, 0.2),)), Lane(params, 1)], None)
    assert (pruned.state, pruned.error, pruned.weights) == ("PRUNED", None, None)
    assert pruned.curve.epochs == (*range(7),)
    assert pruned.scores["loss"] == pruned.curve.series["loss"][-1] == pytest.approx(0.75, abs=0.5)
    assert pruned.scores.keys() == {"loss", "drawn"}
    assert answer([kept]) == answer([alone])


def test_the_process_is_used_again_until_it_dies(opened):
    trainer, spec = opened
    trainer.train(lanes([trial(spec)]), None)
    before = children()
    trainer.train(lanes([trial(spec)] * 3), None)
    assert children() == before
    trainer.train(lanes([trial(spec, "exit")]), None)
    trainer.train(lanes([trial(spec)]), None)
    assert len(children()) == len(before)
    assert children() != before


def test_a_trial_whose_process_ends_is_tried_once_more(tmp_path):
    def train(config, report):
        log = Path(config["log"])
        with log.open("a") as file:
            file.write("x")
        if log.stat().st_size <= config["deaths"]:
            os.kill(os.getpid(), 9)
        return 1.0

    space = {"log": {"values": [f"{tmp_path}/a", f"{tmp_path}/b"]}, "deaths": {"min": 0, "max": 9}}
    engine, spec = engine_for(train, space)
    once = spec.params((f"{tmp_path}/a", 1))
    always = spec.params((f"{tmp_path}/b", 9))
    first, second = engine.open("cpu").train(lanes([once, always]), None)
    assert first.state == "COMPLETE"
    assert second.error == "its process ended: SIGKILL (out of memory?)"
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "xx"


def test_a_trial_that_takes_too_long_fails_alone():
    engine, spec = engine_of(timeout=0.2)
    params = [trial(spec), trial(spec, "sleep"), trial(spec)]
    outcomes = engine.open("cpu").train(lanes(params), None)
    assert [o.state for o in outcomes] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert outcomes[1].error == "took longer than 0.2 s"


def test_a_heartbeat_that_raises_ends_the_process_at_once():
    before = children()
    engine, spec = engine_of()
    trainer = engine.open("cpu")
    trainer.train(lanes([trial(spec)]), None)
    started = children() - before
    assert started
    beats = []

    def heartbeat():
        beats.append(time.monotonic())
        if len(beats) == 4:
            raise Interrupted(2)

    with pytest.raises(Interrupted):
        trainer.train(lanes([trial(spec, "sleep")]), None, heartbeat)
    assert not started & children()
    (outcome,) = trainer.train(lanes([trial(spec)]), None)
    assert outcome.state == "COMPLETE"


def test_the_process_ends_with_its_trainer():
    before = children()
    engine, spec = engine_of()
    trainer = engine.open("cpu")
    trainer.train(lanes([trial(spec)]), None)
    started = children() - before
    assert started
    del trainer
    gc.collect()
    assert not started & children()


def test_the_process_ends_with_a_parent_that_is_killed():
    program = (
        "import os, sys, signal\n"
        "from tests.engines.function.functions import engine_of\n"
        "from xortune.interrupt import descendants\n"
        "engine, spec = engine_of()\n"
        "trainer = engine.open('cpu')\n"
        "from xortune.trial import Lane\n"
        "trainer.train([Lane(spec.defaults)], None)\n"
        "print(*descendants(os.getpid()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    (pid,) = map(int, run.stdout.split())
    for _ in range(500):
        if not _runs(pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("verbose", [False, True])
def test_what_it_prints_is_shown_on_request(verbose, capfd):
    engine, spec = engine_of(verbose=verbose)
    engine.open("cpu").train(lanes([trial(spec, "print")]), None)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert ("printed by the function" in printed.err) is verbose


def test_hidden_output_is_said_once(caplog, opened):
    _, spec = opened
    engine, _ = engine_of()
    trainer = engine.open("cpu")
    with caplog.at_level(logging.WARNING, logger="xortune"):
        trainer.train(lanes([trial(spec)]), None)
        assert not caplog.records
        trainer.train(lanes([trial(spec), trial(spec, "print"), trial(spec)]), None)
        trainer.train(lanes([trial(spec, "print")]), None)
        heard, _ = engine_of(verbose=True)
        heard.open("cpu").train(lanes([trial(spec, "print")]), None)
    assert [record.getMessage() for record in caplog.records] == [
        "what the function prints is hidden; verbose=True shows it."
    ]


def test_what_a_file_prints_when_it_is_loaded_is_not_said(tmp_path, caplog):
    path = tmp_path / "mine.py"
    path.write_text(
        "import xortune\nprint('loaded')\n"
        "problem = xortune.Problem(lambda config, report: 1.0, {'x': {'value': 1}})\n"
    )
    engine, spec = engine_of(path)
    with caplog.at_level(logging.WARNING, logger="xortune"):
        engine.open("cpu").train(lanes([spec.defaults]), None)
    assert not caplog.records


def test_a_probe_needs_a_process_and_no_call(tmp_path):
    def train(config, report):
        raise AssertionError("it is not called")

    engine, spec = engine_for(train, {"x": {"value": 1}})
    trainer = engine.open("cpu")
    before = children()
    (outcome,) = trainer.train(lanes([engine.probe], numbers=[PROBE]), None)
    assert outcome.state == "COMPLETE"
    assert children() - before
    assert engine.probe == spec.defaults


def test_metrics_that_nobody_declared_are_named_once(caplog):
    def train(config, report):
        report(0, loss=1.0, extra=2.0, x=3.0, state=1.0)
        return {"loss": 1.0}

    engine, spec = engine_for(train, {"x": {"value": 1}}, metrics=[])
    with caplog.at_level(logging.WARNING, logger="xortune"):
        engine.open("cpu").train(lanes([spec.defaults] * 3), None)
    (record,) = (record for record in caplog.records if record.name == "xortune")
    assert record.getMessage() == (
        "metrics that the problem does not declare are ignored: extra. To record them, begin a new "
        "study with Problem(..., metrics=['extra'])."
    )


def test_code_that_fails_in_the_process_is_said(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import os, xortune\n"
        f"assert os.getpid() == {os.getpid()}, 'elsewhere'\n"
        "problem = xortune.Problem(lambda config, report: 1.0, {'x': {'value': 1}})\n"
    )
    engine, spec = engine_of(path)
    with pytest.raises(NoEngineError, match="AssertionError: elsewhere\n  mine.py, line 2: assert"):
        engine.open("cpu").train(lanes([spec.defaults]), None)


def test_a_module_beside_the_file_is_missed_where_it_is_used(tmp_path, monkeypatch):
    (tmp_path / "helper.py").write_text("def loss():\n    return 1.0\n")
    path = tmp_path / "mine.py"
    path.write_text(
        "import xortune\n\ndef train(config, report):\n    import helper\n"
        "    return helper.loss()\n\nproblem = xortune.Problem(train, {'x': {'value': 1}})\n"
    )
    monkeypatch.chdir(tmp_path)
    alone, spec = engine_of(path)
    (outcome,) = alone.open("cpu").train(lanes([spec.defaults]), None)
    assert outcome.error == (
        "ModuleNotFoundError: No module named 'helper': it lies beside mine.py, and was not "
        "included; add include='.' (mine.py:4)"
    )
    together, _ = engine_of(path, include=[tmp_path])
    (outcome,) = together.open("cpu").train(lanes([spec.defaults]), None)
    assert outcome.state == "COMPLETE"


def test_an_error_names_no_folder(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from pathlib import Path\nimport xortune\n\ndef train(config, report):\n"
        "    return float(Path(__file__).with_name('d.csv').read_text())\n\n"
        "problem = xortune.Problem(train, {'x': {'value': 1}})\n"
    )
    engine, spec = engine_of(path)
    trainer = engine.open("cpu")
    (outcome,) = trainer.train(lanes([spec.defaults]), None)
    assert outcome.error == (
        "FileNotFoundError: [Errno 2] No such file or directory: 'd.csv' (mine.py:5)"
    )
    (tmp_path / "d.csv").write_text("7")
    (outcome,) = trainer.train(lanes([spec.defaults]), None)
    assert list(outcome.scores.row) == [7.0]


def test_an_included_module_is_imported_once(tmp_path):
    (tmp_path / "helper.py").write_text("class Loss(float):\n    pass\n")
    path = tmp_path / "mine.py"
    path.write_text(
        "import helper, xortune\n\ndef train(config, report):\n    from helper import Loss\n"
        "    assert Loss is helper.Loss\n    return Loss(1.0)\n\n"
        "problem = xortune.Problem(train, {'x': {'value': 1}})\n"
    )
    engine, spec = engine_of(path, include=[tmp_path])
    (outcome,) = engine.open("cpu").train(lanes([spec.defaults]), None)
    assert outcome.error is None


def test_a_function_runs_in_the_folder_of_the_search_where_that_exists(tmp_path, monkeypatch):
    def train(config, report):
        return float(Path("here").exists())

    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "here").touch()
    monkeypatch.chdir(folder)
    engine, spec = engine_for(train, {"x": {"value": 1}})
    monkeypatch.chdir(tmp_path)
    (there,) = engine.open("cpu").train(lanes([spec.defaults]), None)
    folder.rename(tmp_path / "moved")
    (elsewhere,) = engine.open("cpu").train(lanes([spec.defaults]), None)
    assert (there.scores["loss"], elsewhere.scores["loss"]) == (1.0, 0.0)
