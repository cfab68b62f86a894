"""A real TensorBoard in a real browser: what people see of a study."""

import csv
import re

import pytest

import xortune
from tests.browser import WIDE
from tests.declared_modules import made
from tests.tensorboard.serving import serving

# TensorBoard's own, which have nothing to do with what is shown.
OWN = re.compile(r"Three\.js|paper-\w+(-\w+)* is deprecated|WebGL|GL Driver|GPU stall")


def searched(folder, trials):
    return xortune.search(
        trials=trials, name="one", results=folder, runner="inline", sampler="random"
    )


def rows_of(study):
    """The rows of trials.csv by the names of their runs."""
    with study.paths.trials_csv.open(newline="") as file:
        return {f"trial-{int(row['number']):05d}": row for row in csv.DictReader(file)}


def opened(tab, address, wanted):
    """Opens an address in a page that was empty, and waits for an element."""
    tab.page.goto("about:blank")
    tab.page.goto(address)
    tab.page.locator(wanted).first.wait_for(timeout=60_000)
    return tab.page


def cards(page):
    return page.locator("scalar-card tb-truncated-path").evaluate_all(
        "paths => paths.map(path => path.title)"
    )


def table_of(page, card=0):
    """The rows below a chart: of every run that it draws the name, last value and last epoch."""
    rows = page.locator("scalar-card").nth(card).locator("tb-data-table-content-row")
    rows.first.wait_for(timeout=60_000)
    found = [re.findall(r"\S+", text)[:3] for text in rows.all_inner_texts()]
    return {name: (float(value), int(step.replace(",", ""))) for name, value, step in found}


def check_curves(tab, address, study):
    """The charts are those of curves alone, and draw every run from the start."""
    page = opened(tab, address, "scalar-card")
    found = table_of(page)
    rows = rows_of(study)
    assert cards(page) == ["loss/training", "loss/validation"]
    assert found
    for name, (value, epoch) in found.items():
        assert epoch == int(rows[name]["epochs"])
        assert value == pytest.approx(float(rows[name]["train_loss"]), abs=1e-4)
    return found


def grid_of(page):
    """The texts of the cells of the HPARAMS table that are there, in lines of the page."""
    text = page.locator("tf-hparams-table-view vaadin-grid").first.inner_text()
    return [word.strip() for word in text.splitlines() if word.strip()]


def check_table(page, study):
    """The columns are named as in trials.csv, and so are the numbers."""
    cells = grid_of(page)
    first = cells.index("trial-00000")
    heads = cells[:first]
    names = ["epochs", "loss_fn", "lr", "seed", "final_loss", "train_loss", "accuracy"]
    assert heads[:2] + names == heads[: len(names) + 2]
    rows = rows_of(study)
    width = len(heads) - 1  # The box of `Show Metrics` has no text.
    lines = [cells[n : n + width] for n in range(first, len(cells) - width + 1, width)]
    for run, *values in lines:
        for name, shown in zip(names, values):
            there = rows[run][name]
            assert shown == there if name == "loss_fn" else float(shown) == five_digits(there)
    return len(lines)


def check_parallel(page, study, lines):
    """As many lines as trials, each as high at the first axis as its number is in trials.csv."""
    page.get_by_text("PARALLEL COORDINATES VIEW").first.click()
    paths = page.locator("tf-hparams-parallel-coords-plot g.background path")
    paths.nth(lines - 1).wait_for(state="attached", timeout=60_000)
    starts = [float(path.split(",")[1].split("L")[0]) for path in paths.evaluate_all(
        "paths => paths.map(path => path.getAttribute('d'))"
    )]  # fmt: skip
    epochs = [int(row["epochs"]) for _, row in sorted(rows_of(study).items())[:lines]]
    low, high = min(epochs), max(epochs)
    height = max(starts)
    assert starts == pytest.approx([height * (high - e) / (high - low) for e in epochs], abs=0.1)


def check_scatter(page, points):
    page.get_by_text("SCATTER PLOT MATRIX VIEW").first.click()
    circles = page.locator("tf-hparams-scatter-plot-matrix-plot circle")
    circles.first.wait_for(state="attached", timeout=60_000)
    # Five metrics against four parameters and themselves.
    assert circles.count() == 5 * 9 * points


def complaints(tab):
    return [error for error in tab.errors if not OWN.search(error)]


def five_digits(text):
    """A number as the HPARAMS tab shows it."""
    return float(f"{float(text):.5g}")


def test_a_study_opens_on_its_curves(chromium, tmp_path):
    study = searched(tmp_path, 12)
    with serving(study.paths.folder) as server, chromium.tab(WIDE) as tab:
        server.wait_for_runs(12)
        assert len(check_curves(tab, server.address, study)) == 12
        assert (complaints(tab), tab.requests) == ([], [])


@pytest.mark.long
def test_fifty_trials_in_every_tab(chromium, tmp_path):
    study = searched(tmp_path, 50)
    with serving(study.paths.folder) as server, chromium.tab(WIDE) as tab:
        server.wait_for_runs(50)
        assert len(check_curves(tab, server.address, study)) > 5
        # Without the address, too, the curves come first.
        page = opened(tab, server.url, "scalar-card")
        page.locator("scalar-card tb-data-table-content-row").first.wait_for()
        assert cards(page)[:3] == ["loss/training", "loss/validation", "result/accuracy"]
        page = opened(tab, f"{server.url}/#graphs", "tf-graph-scene text")
        texts = page.locator("tf-graph-scene text").all_text_contents()
        assert {"inputinput", "XORXOR", "outputoutput"} < {*texts}
        page = opened(tab, f"{server.url}/#hparams", "tf-hparams-table-view vaadin-grid")
        page.get_by_text("trial-00003").first.wait_for()
        assert check_table(page, study) > 10
        check_parallel(page, study, 50)
        check_scatter(page, 50)
        assert (complaints(tab), tab.requests) == ([], [])


@pytest.mark.long
def test_the_graph_of_a_module_opens_into_its_layers(chromium, tmp_path):
    study = xortune.search(
        problem=made(), trials=1, name="one", results=tmp_path, runner="inline", confirm="none"
    )
    with serving(study.paths.folder) as server, chromium.tab(WIDE) as tab:
        server.wait_for_runs(1)
        page = opened(tab, f"{server.url}/#graphs", "tf-graph-scene text")
        texts = page.locator("tf-graph-scene text")
        assert {"inputinput", "SequentialSequential", "outputoutput"} < {*texts.all_text_contents()}
        page.locator("tf-graph-scene g.node.meta").filter(has_text="Sequential").first.dblclick()
        page.locator("tf-graph-scene text", has_text="Linear[2]").first.wait_for()
        shown = {*texts.all_text_contents()}
        assert {f"{name}{name}" for name in ("Linear[0]", "Tanh[1]", "Linear[2]")} < shown
        assert {"?\xd72", "?\xd71"} < shown  # with the sign of multiplication
        assert (complaints(tab), tab.requests) == ([], [])


@pytest.mark.long
def test_a_thousand_trials_open_on_curves_after_one_click_or_as_the_best(chromium, tmp_path):
    study = searched(tmp_path, 1000)
    with serving(study.paths.folder) as server, chromium.tab(WIDE) as tab:
        server.wait_for_runs(1000)
        assert "draws up to 500 runs unasked, and there are 1000" in server.said
        page = opened(tab, server.address, "scalar-card")
        assert cards(page) == ["loss/training", "loss/validation"]
        assert page.locator("scalar-card tb-data-table-content-row").count() == 0
        page.locator("runs-data-table mat-checkbox input").first.click()
        assert len(table_of(page)) > 5
        page = opened(tab, f"{server.url}/#hparams", "tf-hparams-table-view vaadin-grid")
        page.get_by_text("trial-00003").first.wait_for()
        assert check_table(page, study) > 10
        check_parallel(page, study, 100)
        check_scatter(page, 100)
        assert (complaints(tab), tab.requests) == ([], [])
    with serving(study.paths.folder, "--top", 100) as server, chromium.tab(WIDE) as tab:
        server.wait_for_runs(100)
        best = {f"trial-{number:05d}" for number in study.trials["number"].head(100)}
        assert {*check_curves(tab, server.address, study)} <= best
        assert complaints(tab) == []
