"""The words of the reference studies are those of the tables beside them."""

import re
import shlex
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.documents.markdown import ROOT, blocks, read, tables, tracked
from tests.reference.__main__ import DOCUMENT, PICTURES, searches
from tests.reference.diabetes import write_diabetes
from tests.reference.pictures import THEMES
from xortune.cli.arguments import parse
from xortune.engines.plain.names import PLAIN
from xortune.engines.xor.choice import engine_choice
from xortune.engines.xor.names import NAMES
from xortune.problems.table.table import load_table
from xortune.report import UNREPEATABLE

FOLDER = ROOT / "results" / "reference"
TEXT = " ".join(read(DOCUMENT).split())
LRS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
EPOCHS = (500, 1000, 2000, 5000, 10_000)


@pytest.fixture(scope="module")
def xor():
    return pd.read_csv(FOLDER / "xor" / "trials.csv")


def shown(heading):
    """The table of the document that has these first two columns, as shares by its rows."""
    (rows,) = (rows for rows in tables(DOCUMENT) if rows[0][:2] == heading)
    return [row[1:] for row in rows[1:]]


def shares(trials, columns):
    """The share of solved trainings in percent, by lr from row to row."""
    by = [pd.cut(trials["lr"], LRS, include_lowest=True), columns]
    grid = trials.groupby(by, observed=False)["solved_share"].mean().unstack()
    return [[f"{100 * share:.0f}%" for share in row] for row in grid.to_numpy()]


def test_the_shares_by_learning_rate_and_epochs(xor):
    epochs = pd.cut(xor["epochs"], EPOCHS, include_lowest=True)
    assert shown(["lr", "500 to 1,000 epochs"]) == shares(xor, epochs)


def test_the_shares_by_learning_rate_and_loss(xor):
    kinds = pd.CategoricalDtype(["mse", "bce", "bce_with_logits"])
    assert shown(["lr", "mse"]) == shares(xor, xor["loss_fn"].astype(kinds))


def test_the_luck_of_seeds(xor):
    share, first = xor["solved_share"], xor.iloc[0]
    assert (
        f"Of the {len(xor):,} assignments {(share == 1).sum()} solve XOR on all 32 seeds, "
        f"{(share == 0).sum()} on none, and {((share > 0) & (share < 1)).sum()} on some"
    ) in TEXT
    assert f"trial {first['number']}, is solved on all of them" in TEXT
    assert first["solved_share"] == 1
    assert f"a mean mse of {first['final_loss']:.3g}; on 256 fresh seeds" in TEXT


def test_what_the_confirmation_of_xor_found(xor):
    report = (FOLDER / "xor" / "report.txt").read_text()
    number = int(re.search(r"^use trial (\d+):", report, re.M)[1])
    first, mean, solved = re.search(
        r"rank 1, trial (\d+): mean mse ([\d.e-]+), solves (\d+%)", report
    ).groups()
    assert int(first) == xor.iloc[0]["number"]
    assert f"it solves {solved}, and its mean mse is {mean}," in TEXT
    used = xor.set_index("number").loc[number]
    words = f"trial {number} does no worse: lr {used['lr']:.3g}, {used['epochs']:,} epochs"
    assert f"{words}, {used['loss_fn']}." in TEXT


def test_the_first_trials_of_xor_are_what_the_command_makes(xor, tmp_path):
    """Those of a random search do not depend on how many follow them."""
    if engine_choice("auto", "xor").decide("cpu").name == "eager-1":
        pytest.skip("there is no C compiler")
    words = parse(searches()[0])
    assert (words.space, words.name) == (None, "xor")
    asked = {"sampler": words.sampler, "replicates": words.replicates, "confirm": "none"}
    study = xortune.search(trials=40, runner="inline", results=tmp_path, name="x", **asked)
    made = pd.read_csv(study.paths.trials_csv).drop(columns=["rank", *UNREPEATABLE])
    made = made.sort_values("number", ignore_index=True)
    kept = xor.drop(columns="rank").sort_values("number", ignore_index=True).head(40)
    assert_frame_equal(made, kept, check_exact=True)


@pytest.fixture(scope="module")
def diabetes():
    return pd.read_csv(FOLDER / "diabetes" / "trials.csv")


def test_the_losses_by_parameter(diabetes):
    (rows,) = (rows for rows in tables(DOCUMENT) if rows[0][0] == "parameter")
    for name, value, count, median in rows[1:]:
        if " to " in value:
            low, high = map(float, value.split(" to "))
            found = diabetes[(diabetes[name] >= low) & (diabetes[name] <= high)]
        else:
            found = diabetes[diabetes[name].astype(str) == value]
        assert (count, median) == (f"{len(found)}", f"{found['final_loss'].median():.3f}"), value
    assert sum(int(row[2]) for row in rows[1:]) == 4 * len(diabetes)


def test_the_luck_of_the_ranks(diabetes):
    spread, first = diabetes["final_loss_std"].median(), diabetes.iloc[0]
    near = (diabetes["final_loss"] < first["final_loss"] + first["final_loss_std"]).sum()
    assert f"differ by {spread:.4f} (the median" in TEXT
    assert f"and {near} trials lie within one standard deviation of rank 1" in TEXT


def test_a_line_explains_as_much_as_the_network(diabetes, tmp_path):
    write_diabetes(tmp_path / "diabetes.csv")
    table = load_table(tmp_path / "diabetes.csv", target="progression")
    inputs, target = with_ones(table.training)
    line = np.linalg.lstsq(inputs, target, rcond=None)[0]
    by_line = []
    for inputs, target in map(with_ones, (table.validation, table.test)):
        by_line.append(1 - np.square(target - inputs @ line).mean() / target.var())
    report = (FOLDER / "diabetes" / "report.txt").read_text()
    best = re.search(
        r"^best trial (\d+) .*\n +validation .* ([\d.]+)\n +test .* ([\d.]+)$", report, re.M
    )
    number, *by_network = best.groups()
    assert int(number) == diabetes.iloc[0]["number"]
    assert float(by_network[0]) == pytest.approx(diabetes.iloc[0]["r2"], abs=1e-4)
    network, line = ([f"{float(r2):.0%}" for r2 in pair] for pair in (by_network, by_line))
    assert (
        f"trial {number}, explains {network[0]} of the variance of the validation rows and "
        f"{network[1]} of that of the test rows"
    ) in TEXT
    assert f"the same training rows, explains {line[0]} and {line[1]}." in TEXT


def with_ones(rows):
    """Inputs with a column of ones, and the target."""
    inputs = np.asarray(rows.x, float)
    return np.c_[inputs, np.ones(len(inputs))], np.asarray(rows.y, float).ravel()


@pytest.mark.parametrize("name", PICTURES)
def test_a_kept_study_is_small(name):
    files = sorted(path.name for path in (FOLDER / name).iterdir())
    pictures = [f"{picture}-{look}.svg" for picture in PICTURES[name] for look in THEMES]
    assert files == sorted(["report.txt", "trials.csv", *pictures])
    assert {f"results/reference/{name}/{file}" for file in files} <= {*tracked("results")}
    assert (FOLDER / name / "trials.csv").stat().st_size < 300_000
    assert "nan" not in (FOLDER / name / "report.txt").read_text()


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/*.svg")), ids=lambda file: file.stem)
def test_a_picture_is_small_and_asks_for_nothing(file):
    text = file.read_text()
    assert file.stat().st_size < 100_000
    assert not re.search(
        r"<script|\bon\w+=|href=\"(?!#|data:image/png)|url\((?!['\"]?#)|@import", text
    )
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert f'{file.parent.name}/{file.name}"' in read(DOCUMENT)


def test_the_engines_are_named():
    assert re.findall(r"Study seed 0, engine ([\w-]+):", TEXT) == [NAMES[1], PLAIN]


def test_the_searches_of_the_document_are_those_that_are_made_again():
    commands = [c for block in blocks(DOCUMENT, "sh") for c in block.commands]
    assert [parse(words).name for words in searches()] == [*PICTURES]
    for command in commands:
        words = shlex.split(command)
        assert words[:3] in (["python", "-m", "xortune"], ["python", "-m", "tests.reference"])
