"""Where a search trains unless the user says so: here, or on Ray."""

import math
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xortune
from tests.make import SPEC, make_settings
from xortune.cli import main
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.settings import RunOptions
from xortune.space import Choice, Range, load_space
from xortune.studies.runner_choice import mean, needs_ray, training_s

FAST, SLOW = CompiledEngine("xor", b"").pace("cpu"), EagerEngine("xor").pace("cpu")
HERE = "so they run in this process. To use Ray: --runner ray, --workers or --address"


@pytest.mark.parametrize(
    ("options", "asks"),
    [
        ({}, False),
        ({"pack_size": 3, "retries": 0, "device": "cpu"}, False),
        ({"workers": 1}, True),
        ({"address": "auto"}, True),
        ({"device": "cuda"}, True),
        ({"device": "both"}, True),
        ({"gpus_per_worker": 0.5}, True),
    ],
    ids=str,
)
def test_what_only_ray_has_is_trained_on_ray(options, asks):
    assert needs_ray(RunOptions(**options)) is asks


def test_the_work_grows_with_trials_and_epochs_and_with_the_slower_engine():
    def seconds(trials, epochs, pace=FAST):
        space = load_space({"epochs": {"value": epochs}}, SPEC)
        settings = make_settings(space=space.parameters, trials=trials, sampler="random")
        return training_s(space, settings, trials, pace)

    assert seconds(4096, 1000) == pytest.approx(4096 * 1000 / 1e8)
    assert seconds(8192, 1000) == pytest.approx(2 * seconds(4096, 1000))
    assert seconds(4096, 3000) == pytest.approx(3 * seconds(4096, 1000))
    assert seconds(4096, 1000, SLOW) > seconds(4096, 1000)
    assert seconds(1, 1000) == seconds(30, 1000)


def test_small_generations_cost_what_an_epoch_of_any_size_costs():
    space = load_space("default", SPEC)
    apart = make_settings(space=space.parameters, trials=50, generation=10)
    together = make_settings(space=space.parameters, trials=50, generation=50)
    ratio = training_s(space, apart, 50, FAST) / training_s(space, together, 50, FAST)
    assert ratio == pytest.approx(5 * 32 / 50)


@given(st.floats(0.1, 1e3), st.floats(1.01, 1e3), st.booleans())
def test_the_mean_of_a_range_is_that_of_its_draws(low, factor, log):
    domain = Range(low, low * factor, log=log)
    # Midpoints of a thousand equally likely parts.
    parts = [(i + 0.5) / 1000 for i in range(1000)]
    draws = [low * factor**p if log else low + (low * factor - low) * p for p in parts]
    assert mean(domain) == pytest.approx(math.fsum(draws) / 1000, rel=1e-3)


def test_the_mean_of_choices_and_of_a_point():
    assert mean(Choice((1, 2, 6))) == 3
    assert mean(Range(5, 5, log=True)) == 5


def test_a_small_search_is_trained_in_this_process_and_says_so(tmp_path, capsys):
    code = main(["search", "smoke", "--trials=4", f"--results={tmp_path}", "--name=s"])
    printed = capsys.readouterr()
    assert code == 0
    assert f"xortune: 4 trials need less than 0.1 s of training, {HERE}." in printed.err
    study = xortune.load(tmp_path / "s")
    assert {worker.rpartition(":")[2] for worker in study.trials["worker"]} == {str(os.getpid())}
    assert study.settings.device == "cpu"


def test_it_needs_no_ray(tmp_path):
    code = (
        "import sys, xortune\n"
        f"study = xortune.search('smoke', trials=4, results={str(tmp_path)!r}, name='s')\n"
        "study = xortune.resume(study.paths.folder, trials=6)\n"
        "assert (study.trials['state'] == 'COMPLETE').all()\n"
        "sys.exit('ray' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_quiet_says_nothing(tmp_path, capsys):
    assert main(["search", "smoke", "--trials=2", f"--results={tmp_path}", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_resume_decides_anew(tmp_path, capsys):
    assert main(["search", "smoke", "--trials=2", f"--results={tmp_path}", "--name=s"]) == 0
    capsys.readouterr()
    assert main(["resume", str(tmp_path / "s"), "--trials=3"]) == 0
    here = HERE.replace("they run", "it runs")
    assert f"1 trial needs less than 0.1 s of training, {here}" in capsys.readouterr().err
    assert main(["resume", str(tmp_path / "s")]) == 0
    assert "of training" not in capsys.readouterr().err


def test_a_function_is_measured_here_first_and_says_so(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(
        "import xortune\n"
        "problem = xortune.Problem(lambda c, r: c['x'], {'x': {'min': 0.0, 'max': 1.0}})\n"
    )
    code = main(["search", f"--problem={file}", "--trials=4", f"--results={tmp_path}", "--name=s"])
    assert code == 0
    assert (
        "xortune: the search begins in this process. If the first trials take long, it moves to "
        "Ray. To stay here: --runner inline. To begin on Ray: --runner ray."
    ) in capsys.readouterr().err
    assert (xortune.load("s", tmp_path).trials["state"] == "COMPLETE").all()
