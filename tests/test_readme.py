"""What README tells people to type works, and says what there is."""

import re
import shlex
from pathlib import Path

import pytest

import xortune
from tests.make import SPEC
from xortune.cli.arguments import parse
from xortune.space import count_points, load_space
from xortune.space.yaml_text import read_yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m xortune [a-z]+[^`\n]*", README)))


SHOWN = {"search", "resume", "report", "predict", "tensorboard"}
SHOWN |= {"submit", "status", "logs", "wait", "stop", "fetch"}


def test_every_command_is_shown():
    assert {command.split()[3] for command in COMMANDS} == SHOWN


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_parses(command):
    words = shlex.split(re.sub(r"\[[A-Z]+\]", "default", command), comments=True)
    assert parse(words[3:]).command in SHOWN


def test_the_example_in_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope = {}
    exec(example.replace('name="first")', 'name="first", runner="inline")'), scope)
    assert len(scope["df"]) == 50
    assert (tmp_path / "results" / "first" / "trials.csv").exists()


def test_the_table_in_readme_is_what_the_example_prints(tmp_path):
    study = xortune.search(trials=50, name="first", results=tmp_path, runner="inline")
    shown = re.findall(r"^ +\d+ +(\d+) +[\d.]+ +(\d+) +(\d+) +\w+ +([\d.e-]+)", README, re.M)
    assert len(shown) == 3
    for (number, epochs, seed, loss), row in zip(shown, study.trials.itertuples()):
        assert (int(number), int(epochs), int(seed)) == (row.number, row.epochs, row.seed)
        # Another kind of CPU sums in another order; at a large lr that shows in some percent.
        assert float(loss) == pytest.approx(row.final_loss, rel=0.1)


def test_the_search_space_is_the_default_one():
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    content, _ = read_yaml(text, "README")
    assert load_space(content, SPEC).domains == load_space("default", SPEC).domains


LAB = re.findall(r"python -m xortune search (\w+) --data lab --trials (\d+)$", README, re.M)


def test_the_commands_for_the_lab_train_every_point():
    assert [name for name, _ in LAB] == ["lab", "your_turn"]
    for name, trials in LAB:
        assert count_points(load_space(name, SPEC)) == int(trials)


def test_the_command_for_the_lab_reproduces_its_runs(tmp_path):
    study = xortune.search("lab", data="lab", trials=4, runner="inline", results=tmp_path, name="l")
    runs = study.trials.query("seed == 42 and loss_fn == 'mse'").set_index(["lr", "epochs"])
    assert {(0.01, 100_000), (0.1, 10_000)} < set(runs.index)
    curve = study.curves(int(runs.loc[(0.1, 10_000), "number"])).set_index("epoch")["training"]
    # As the lab prints them.
    for epoch, loss in ((500, 0.20817), (2500, 0.0099989), (5000, 0.00289418), (9500, 0.00114135)):
        assert curve[epoch] == pytest.approx(loss, rel=0.0025)


def test_every_file_of_the_package_is_named():
    named = set(re.findall(r"^  ([\w.]+)/? {2,}", README, re.M))
    there = {
        path.name
        for path in (ROOT / "xortune").iterdir()
        if not path.name.startswith("_") and path.name != "py.typed"
    }
    assert {name for name in named if "." in name or (ROOT / "xortune" / name).is_dir()} == there
