"""Tables, functions and modules on Ray: the table of one process, also when workers are killed."""

import re

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.cluster.test_worker_death import KillOnce
from tests.make import lanes
from tests.small_study import answer
from xortune.errors import HopelessError, XortuneError

FUNCTION = """
import random
import numpy
import xortune
from helper import square

def train(config, report):
    for epoch in range(config["epochs"]):
        noise = random.random() + numpy.random.random()
        report(epoch, loss=square(config["x"]) + noise / (epoch + 1), best=square(config["x"]))

problem = xortune.Problem(
    train=train, space={"x": {"min": -3.0, "max": 3.0}, "epochs": {"min": 1, "max": 9}}
)
"""
MODULE = """
from pathlib import Path

from torch import nn

import xortune
from layers import Line


def model(inputs: int, outputs: int, width: int, dropout: float):
    return nn.Sequential(Line(2, width), nn.SiLU(), nn.Dropout(dropout), Line(width, 1))


def data():
    text = Path(__file__).with_name("data.csv").read_text()
    x = [[float(word) / 7 for word in line.split(",")] for line in text.splitlines()]
    y = [a * b for a, b in x]
    return xortune.Split(x[:40], y[:40], x[40:], y[40:], x[:9], y[:9])


problem = xortune.Problem(
    model=model,
    data=data,
    loss=["mse", "mae"],
    space={
        "width": {"values": [4, 8]},
        "dropout": {"values": [0.0, 0.2]},
        "loss_fn": {"values": ["mse", "mae"]},
        "lr": {"min": 0.001, "max": 0.1},
        "epochs": {"min": 2, "max": 5},
        "seed": {"min": 0, "max": 99},
    },
)
"""
TABLE = {
    "width": {"values": [4, 8]},
    "epochs": {"min": 2, "max": 5},
    "dropout": {"values": [0.0, 0.2]},
    "seed": {"min": 0, "max": 99},
}
SETTINGS = {"trials": 20, "generation": 10}


@pytest.fixture
def function(tmp_path):
    """The keywords of a search of a function, which imports a module that lies elsewhere."""
    (tmp_path / "mine.py").write_text(FUNCTION)
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "helper.py").write_text("def square(x):\n    return x * x\n")
    return {"problem": tmp_path / "mine.py", "include": [tmp_path / "helpers"]}


@pytest.fixture
def table():
    """The keywords of a search of a table."""
    i = np.arange(80)
    x = np.stack([i % 7, i % 5], axis=1).astype(np.float32)
    return {"space": TABLE, "data": (x, x[:, 0] * 2 - x[:, 1])}


@pytest.fixture
def module(tmp_path):
    """The keywords of a search of a module, whose data is a file, and whose layers are included."""
    (tmp_path / "net.py").write_text(MODULE)
    (tmp_path / "data.csv").write_text("\n".join(f"{i % 7},{i % 5}" for i in range(60)))
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "layers.py").write_text(
        "from torch import nn\n\n\nclass Line(nn.Linear):\n    pass\n"
    )
    return {"problem": tmp_path / "net.py", "include": [tmp_path / "layers"]}


# Tables also train on Ray in test_trainings.py.
@pytest.mark.parametrize(
    "kind",
    ["function", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("module", "table"))],
)
def test_ray_gives_the_table_of_one_process(ray, request, tmp_path, capfd, kind):
    about = request.getfixturevalue(kind)
    alone = xortune.search(**about, name="a", results=tmp_path, runner="inline", **SETTINGS)
    kill = KillOnce()
    capfd.readouterr()
    on_ray = xortune.search(
        **about,
        name="b",
        results=tmp_path,
        runner="ray",
        workers=2,
        pack_size=3,
        on_progress=kill,
        **SETTINGS,
    )
    assert not kill.armed
    assert capfd.readouterr() == ("", "")
    assert set(alone.trials["state"]) == {"COMPLETE"}
    assert_frame_equal(answer(on_ray), answer(alone), check_exact=True)
    assert on_ray.curves(3).equals(alone.curves(3))
    if kind != "function":
        assert on_ray.summary()["test"] == alone.summary()["test"]


def test_a_node_holds_the_data_once(ray):
    """Workers read the engine's arrays where Ray's object store has them, without a copy."""
    from xortune.problems.table.table import load_table
    from xortune.settings import RunOptions, StudySettings
    from xortune.studies.problems.table import TableSubject

    x = np.random.default_rng(0).normal(size=(20_000, 20))
    subject = TableSubject(load_table((x, x.sum(axis=1))))
    settings = StudySettings(subject.problem.spec, {"width": {"value": 8}})
    engine = subject.choice("auto", settings, RunOptions()).decide("cpu")

    @ray.remote
    def held(engine):
        trainer = engine.open("cpu")
        array = engine._rows[0].x
        outcome = trainer.train(lanes([engine.probe]), None)[0]
        return array.nbytes, _mapped_file(array), array.flags.writeable, outcome.state

    nbytes, file, writeable, state = ray.get(held.remote(ray.put(engine)))
    assert nbytes == 12_000 * 20 * 4
    assert "plasma" in file or "/dev/shm" in file
    assert not writeable
    assert state == "COMPLETE"


def _mapped_file(array):
    """The file that an array's memory is mapped from."""
    address = array.__array_interface__["data"][0]
    with open("/proc/self/maps") as maps:  # noqa: PTH123
        for line in maps:
            low, high = (int(end, 16) for end in line.split()[0].split("-"))
            if low <= address < high:
                return line.split(maxsplit=5)[-1].strip()
    return "none"


# A name that only the driver has, once its environment has changed since Ray was started.
ONLY_HERE = (
    MODULE.replace("from torch import nn\n", "import os\n\nfrom torch import nn\n", 1)
    .replace(
        "\nproblem =",
        """
if "XORTUNE_ONLY_HERE" in os.environ:
    SCALE = 2.0


problem =""",
    )
    .replace(
        "    data=data,",
        '    data=data,\n    metrics={"scaled": lambda output, target: SCALE * output.mean()},',
    )
)


@pytest.fixture
def only_here(module, monkeypatch):
    monkeypatch.setenv("XORTUNE_ONLY_HERE", "1")
    module["problem"].write_text(ONLY_HERE)
    return module


@pytest.mark.long
def test_a_metric_that_reads_a_name_that_workers_lack_fails_its_trials_with_the_line(
    ray, only_here, tmp_path
):
    line = (
        ONLY_HERE.splitlines().index(
            '    metrics={"scaled": lambda output, target: SCALE * output.mean()},'
        )
        + 1
    )
    words = f"NameError: name 'SCALE' is not defined (net.py:{line})"
    with pytest.raises(HopelessError, match=re.escape(words)):
        xortune.search(
            **only_here,
            name="a",
            results=tmp_path,
            runner="ray",
            workers=2,
            pack_size=3,
            **SETTINGS,
        )
    trials = xortune.load("a", tmp_path).trials
    assert set(trials.loc[trials["state"] == "FAIL", "error"]) == {words}
    alone = xortune.search(**only_here, name="b", results=tmp_path, runner="inline", **SETTINGS)
    assert set(alone.trials["state"]) == {"COMPLETE"}


@pytest.mark.long
def test_a_module_that_workers_cannot_load_ends_the_search_with_the_reason(
    ray, only_here, tmp_path
):
    text = ONLY_HERE.replace(
        "    SCALE = 2.0\n", '    SCALE = 2.0\nelse:\n    raise OSError("not here")\n'
    )
    only_here["problem"].write_text(text)
    with pytest.raises(XortuneError, match=r"a worker.* cannot run .*net\.py: fails .*not here"):
        xortune.search(**only_here, name="a", results=tmp_path, runner="ray", workers=1, **SETTINGS)


@pytest.mark.long
def test_a_module_prints_nothing_from_workers_unless_it_is_asked_for(ray, module, tmp_path, capfd):
    text = MODULE.replace("    return nn.Seq", '    print("of", "model")\n    return nn.Seq')
    module["problem"].write_text(text)
    about = {**module, "results": tmp_path, "runner": "ray", "workers": 2, "trials": 4}
    capfd.readouterr()
    xortune.search(**about, name="a", confirm="none")
    assert "of model" not in "".join(capfd.readouterr())
