"""What a notebook shows of a study: its card, its curves, and TensorBoard below a cell."""

import os
import re
import signal
from html.parser import HTMLParser

import pandas as pd
import pytest
from jupyter_client.manager import start_new_kernel

import xortune
from tests.hostile import HOSTILE
from tests.studies.test_notebook import run

BAD = '<img src=x onerror="alert(1)">&amp;'
MINE = f"""
import xortune

def train(config, report):
    for epoch in range(3):
        report(epoch, height=config["x"] / (epoch + 1))
    if config["kind"] == "broken":
        raise ValueError("no luck")

problem = xortune.Problem(
    train=train,
    space={{"x": {{"min": 0.0, "max": 1.0}}, "kind": {{"values": [{BAD!r}, "broken"]}}}},
    objective="height:max",
)
"""


class Cells(HTMLParser):
    """The texts of a card's cells, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.rows, self.text = set(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "scope"}
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.rows and self.lasttag in ("th", "td"):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return xortune.search(
        "smoke", trials=12, name="one", results=results, runner="inline", confirm="2:8"
    )


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """A study of a function: maximised, without a final loss, with a choice of hostile texts."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "mine.py").write_text(MINE)
    return xortune.search(
        problem=folder / "mine.py", trials=12, name="f", results=folder, confirm="none"
    )


def test_a_card_has_the_state_the_trial_to_use_and_the_best_trials(study):
    cells = Cells(study._repr_html_())
    assert cells.tags == {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert "study one: 12 of 12 trials finished (12 COMPLETE)" in cells.text
    assert f"use trial {study.recommended_number}: lr " in cells.text
    heads, *rows = cells.rows
    assert heads == [
        "rank",
        "number",
        "state",
        *study.settings.spec.names,
        "final_loss",
        "accuracy",
    ]
    assert [int(row[1]) for row in rows] == study.trials["number"].head(5).tolist()
    losses = [float(row[heads.index("final_loss")]) for row in rows]
    assert losses == pytest.approx(study.trials["final_loss"].head(5).tolist(), rel=1e-3)


def test_a_card_shows_hostile_texts_and_missing_numbers_as_text(functions):
    page = functions._repr_html_()
    cells = Cells(page)
    assert "img" not in cells.tags
    assert BAD in cells.text
    assert "height" in cells.rows[0]
    assert "final_loss" not in cells.rows[0]
    assert functions.trials["state"].eq("FAIL").any()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_card_has_no_tags_of_others(functions, text, monkeypatch):
    trials = functions.trials.assign(state=text, kind=text)
    monkeypatch.setattr(type(functions), "trials", property(lambda self: trials))
    tags = Cells(functions._repr_html_()).tags
    assert tags == {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}


def test_a_study_that_cannot_be_read_has_no_card(tmp_path):
    study = xortune.search("smoke", trials=1, name="one", results=tmp_path, runner="inline")
    study.paths.ledger.write_bytes(b"gone")
    assert study._repr_html_() is None


def test_all_curves_are_those_of_every_trial(study, functions):
    for one in (study, functions):
        found = one.all_curves()
        series = [series.name for series in one.settings.spec.curve]
        assert list(found.columns) == ["number", "epoch", *series]
        parts = [
            one.curves(number).assign(number=number) for number in sorted(one.trials["number"])
        ]
        expected = pd.concat([part for part in parts if len(part)], ignore_index=True)
        pd.testing.assert_frame_equal(found, expected[found.columns], check_exact=True)


def test_all_curves_of_a_study_without_any_are_an_empty_frame(tmp_path):
    study = xortune.search("smoke", trials=1, name="one", results=tmp_path, runner="inline")
    with xortune.ledger.Ledger.read(study.paths) as ledger:
        spec = ledger.settings().spec
    from xortune.report import curves_frame

    found = curves_frame({}, spec)
    assert found.empty
    assert list(found.dtypes.astype(str)) == ["int64", "int64", "float64", "float64"]


def test_outside_a_notebook_tensorboard_says_how(study):
    assert study.tensorboard() == f"python -m xortune tensorboard {study.paths.folder}"


FIND = """
from tensorboard import manager
print([info.pid for info in manager.get_all() if info.logdir == {logdir!r}])
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "cell",
    [
        "import xortune\nxortune.load({folder!r}).tensorboard()",
        "%load_ext tensorboard\n%tensorboard --logdir {logdir}",
    ],
)
def test_tensorboard_is_shown_below_a_cell(study, tmp_path, cell):
    logdir = str(study.paths.tensorboard.absolute())
    # TensorBoard looks in the folder of temporary files for others that it could show instead.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    kernel = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env=environment)
    own: list[int] = []
    try:
        code = cell.format(folder=str(study.paths.folder.absolute()), logdir=logdir)
        _, sent = run(kernel, code)
        _, found = run(kernel, FIND.format(logdir=logdir))
        text = "".join(content.get("text", "") for _, content in found)
        own = [int(pid) for pid in re.findall(r"\d+", text)]
        shown = [content["data"].get("text/html", "") for _, content in sent if "data" in content]
        assert any("<iframe" in page for page in shown), sent
        assert len(own) == 1
    finally:
        for pid in own:
            os.kill(pid, signal.SIGTERM)
        kernel[1].stop_channels()
        kernel[0].shutdown_kernel(now=True)
