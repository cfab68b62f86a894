"""The page in a browser: what it shows, how it is used, and what it leaves alone."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import expect

import xortune
from tests.hostile import HOSTILE
from tests.report.page.made import complete, failed, make_results, make_spec
from xortune.escaping import visible
from xortune.report.page import html_page
from xortune.report.page.leaderboard import leaderboard
from xortune.report.plots import pictures

# One learning rate lets most of its trainings diverge.
SPACE = {
    "lr": {"values": [0.1, 1.0, 10.0, 3e38]},
    "epochs": {"min": 20, "max": 200},
    "loss_fn": {"values": ["mse", "bce", "bce_with_logits"]},
}
CELLS = """() => [...document.querySelectorAll("#trials tbody tr")].map(
  (row) => [...row.cells].map((cell) => cell.textContent.replace("★ to use: ", "")))"""
# The lowest contrast of a text to what is behind it, by WCAG 2.2, and that text.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    const words = texts.currentNode.textContent.trim();
    if (!words || !one.checkVisibility() || one.closest("svg, script, style, :disabled")) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, words];
  }
  return lowest;
}"""
DOTS = """() => {
  const { x, y } = document.getElementById("plot-best-so-far").data[0];
  return [x, y].map((one) => [...(one._inputArray ?? one)]);
}"""
INKS = """() => [...new Set([...document.querySelectorAll(".drawing .d-ink")].map(
  (one) => getComputedStyle(one).fill))]"""
WIDTH = "() => [document.documentElement.scrollWidth, innerWidth]"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return xortune.search(
        SPACE, trials=120, sampler="random", confirm="3:4", runner="inline", name="one",
        results=results,
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(study):
    return study.html().as_uri()


@pytest.fixture(scope="module")
def window(chromium):
    with chromium.tab() as tab:
        yield tab


@pytest.fixture
def tab(window, address):
    """The page, as it is when it is opened."""
    window.page.goto(address)
    yield window
    assert window.errors == []
    assert window.requests == []


def expected(study):
    """The cells of the leaderboard by column, in the order of the ranks."""
    columns = leaderboard(study.settings.spec, study.trials)
    count = len(study.trials)
    return {column.name: [column.cell(row) for row in range(count)] for column in columns}


def test_every_cell_of_every_page_is_that_of_the_table(tab, study):
    page = tab.page
    page.locator("#chooser summary").press("Enter")
    for box in page.locator("#chooser input").all():
        if not box.is_checked():
            box.press("Space")
    cells = page.evaluate(CELLS)
    page.locator("#next").focus()
    while page.locator("#next").is_enabled():
        page.keyboard.press("Enter")
        cells += page.evaluate(CELLS)
    assert [*zip(*cells)] == [tuple(column) for column in expected(study).values()]
    assert page.locator("#shown").inner_text() == "101 to 120 of 120 trials"
    page.locator("#first").press("Enter")
    assert page.locator("#shown").inner_text() == "1 to 50 of 120 trials"


def test_sorting_by_keyboard(tab, study):
    page, trials = tab.page, study.trials
    heading = page.locator('th:has(button[data-column="epochs"])')
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    numbers = trials.sort_values("epochs", kind="stable")["number"]
    shown = page.locator("#trials tbody th").all_inner_texts()
    assert [int(text.removeprefix("★ ").removeprefix("to use: ")) for text in shown] == (
        numbers.tolist()[:50]
    )
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.evaluate("document.activeElement.dataset.column") == "epochs"
    first = page.locator("#trials tbody tr").first.inner_text()
    assert str(trials["epochs"].max()) in first


def test_missing_values_are_last_whichever_way_is_sorted(tab, study):
    page = tab.page
    failures = int((study.trials["state"] == "FAIL").sum())
    assert failures > 0
    page.locator('button[data-column="final_loss"]').press("Enter")
    for _ in range(2):
        page.locator("#last").press("Enter")
        assert page.locator("#trials tbody tr").last.inner_text().count("FAIL") == 1
        page.locator('button[data-column="final_loss"]').press("Enter")


def test_filtering_by_text_and_by_state(tab, study):
    page, trials = tab.page, study.trials
    page.locator("#filter").press_sequentially("BCE 0.1")
    rows = page.evaluate(CELLS)
    assert rows
    assert all("bce" in " ".join(row) for row in rows)
    page.locator("#filter").fill("")
    page.locator("#states label", has_text="COMPLETE").locator("input").press("Space")
    failed = trials[trials["state"] == "FAIL"]
    assert page.locator("#shown").inner_text().startswith(f"1 to {len(failed)} of {len(failed)}")
    numbers = [int(text) for text in page.locator("#trials tbody th").all_inner_texts()]
    assert numbers == failed["number"].tolist()
    page.locator("#filter").fill("no such word")
    assert page.locator("#shown").inner_text() == "0 trials (filtered from 120)"


def test_pictures_hold_the_numbers_of_the_table_and_follow_the_theme(tab, study):
    page, trials = tab.page, study.trials
    page.locator("#plot-best-so-far").scroll_into_view_if_needed()
    page.wait_for_selector("#plot-best-so-far .main-svg")
    dots = page.evaluate(DOTS)
    complete = trials[trials["state"] == "COMPLETE"].set_index("number")["final_loss"]
    assert dict(zip(*dots)) == complete.to_dict()
    label = page.locator("#plot-best-so-far .xtick text").first
    before = label.evaluate("(text) => getComputedStyle(text).fill")
    page.locator("#theme").press("Enter")
    expect(label).not_to_have_css("fill", before)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_a_click_on_a_dot_leads_to_the_row_of_its_trial(tab):
    page = tab.page
    page.locator("#filter").fill("no such word")
    page.locator("#plot-best-so-far").scroll_into_view_if_needed()
    dot = page.locator("#plot-best-so-far .points path").first
    dot.wait_for()
    box = dot.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.locator("#plot-best-so-far .hoverlayer .hovertext").wait_for()
    page.mouse.click(*middle)
    page.locator("#trials tr.found").wait_for()
    numbers = page.evaluate(DOTS)[0]
    shown = page.locator("#trials tr.found th").text_content()
    assert int(shown.rpartition(" ")[2]) in numbers
    assert page.locator("#filter").input_value() == ""


def test_the_marked_trial_is_the_one_to_use(tab, study):
    (row,) = tab.page.locator("#trials tr.use").all()
    shown = row.locator("th").inner_text()
    assert shown.endswith(str(study.recommended_number))
    assert "to use" in row.locator("th").text_content()


def test_the_trial_to_use_leads_to_its_row_wherever_that_is(tab, study):
    page, number = tab.page, study.recommended_number
    links = page.locator(f'a[data-trial="{number}"]')
    assert links.all_inner_texts() == [f"Use trial {number}", f"trial {number}, the one to use"]
    for link in links.all():
        page.locator('button[data-column="final_loss"]').press("Enter")
        page.locator('button[data-column="final_loss"]').press("Enter")
        page.locator("#filter").fill("no such word")
        link.press("Enter")
        row = page.locator("#trials tr.found")
        assert row.locator("th").inner_text().endswith(str(number))
        expect(row).to_be_in_viewport()
        assert page.evaluate("document.activeElement.id") == "rows"


def test_filtering_by_the_value_of_a_column(tab, study):
    page, trials = tab.page, study.trials
    page.locator("#filter").fill("trial=12")
    assert page.locator("#shown").inner_text().startswith("1 to 1 of 1 trial ")
    page.locator("#filter").fill("lr=10 loss_fn=bce")
    wanted = (trials["lr"] == 10) & (trials["loss_fn"] == "bce")
    numbers = [int(text) for text in page.locator("#trials tbody th").all_inner_texts()]
    assert numbers == trials.loc[wanted, "number"].tolist()


def test_every_text_is_legible_and_the_page_never_scrolls_sideways(tab):
    page = tab.page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        contrast, words = page.evaluate(CONTRAST)
        assert contrast >= 4.5, words
    for width in (400, 800, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        scrolled, window = page.evaluate(WIDTH)
        assert scrolled <= window


def test_drawings_let_the_shade_through_and_their_labels_stand_on_paper(tab):
    fills = """(path) => [...new Set([...document.querySelectorAll(path)].map(
      (one) => getComputedStyle(one).fill))]"""
    assert tab.page.evaluate(fills, ".drawing > svg > .d-paper") == ["none"]
    paper = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert tab.page.evaluate(fills, ".drawing > svg g .d-paper") == [paper]


def test_without_javascript_the_first_rows_and_all_words_are_there(chromium, address, study):
    with chromium.tab(script=False) as tab:
        tab.page.goto(address)
        cells = tab.page.locator("#trials tbody th").all_inner_texts()
        assert len(cells) == 50
        assert "the table ends after 50 of 120 trials" in tab.page.inner_text("main noscript")
        assert tab.page.locator(".words").first.is_visible()
        assert not tab.page.locator("#controls").is_visible()
        assert not tab.page.locator(".plot").first.is_visible()
        assert tab.errors == []


def test_paper_has_every_picture_in_light_colours(tab):
    page = tab.page
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.pdf().startswith(b"%PDF")
    plots, drawn = (page.locator(one).count() for one in (".plot", ".plot .main-svg"))
    assert 0 < plots <= drawn
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 41)"
    assert page.evaluate(INKS) == ["rgb(29, 34, 43)"]
    page.evaluate("delete document.documentElement.dataset.theme")
    assert page.evaluate(INKS) == ["rgb(29, 34, 43)"]
    page.emulate_media(media="screen", color_scheme="light")


@pytest.mark.long
def test_hostile_texts_do_nothing(chromium, tmp_path):
    texts = [*HOSTILE, "</script><script>document.title='taken'</script>", "</title><b>x"]
    spec = make_spec(texts)
    outcomes = [((n / 10, text, 1), complete(spec, 0.5, n)) for n, text in enumerate(texts)]
    outcomes += [((0.2, text, 2), failed(text, worker=text)) for text in texts]
    results = make_results(spec, outcomes, name="</title><script>alert(1)</script>")
    file = tmp_path / "report.html"
    file.write_text(html_page(results, pictures(results), []), encoding="utf-8")
    with chromium.tab() as tab:
        said = []
        tab.page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        tab.page.goto(file.as_uri())
        for plot in tab.page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
            plot.locator(".main-svg").first.wait_for()
        assert tab.page.title() == "</title><script>alert(1)</script>: report"
        column = [*results.spec.names].index("word")
        shown = tab.page.locator("#trials tbody tr").evaluate_all(
            "(rows, name) => rows.map((row) => row.cells[name].textContent)", column
        )
        words = tab.page.evaluate(CELLS)
        assert {visible(text) for text in texts} <= {cell for row in words for cell in row}
        assert shown
        assert tab.page.locator("main b, main img, main iframe, main a[href^='http']").count() == 0
        assert (said, tab.errors, tab.requests) == ([], [], [])


def test_numbers_are_written_as_python_writes_them(tab):
    draw = random.Random(0)
    numbers = [0.0, -0.0, 1.0, 0.5, 2.5, 12.5, 0.125, 0.00025, 1e5, 99999.5, 1e22, 5e-324, 1.5e300]
    numbers += [
        draw.choice((-1, 1)) * draw.random() * 10 ** draw.randint(-12, 12) for _ in range(400)
    ]
    numbers += [draw.randint(-(10**6), 10**6) / 2 ** draw.randint(0, 8) for _ in range(400)]
    for form in (".3e", ".3g", ".4g", ".5g", ".0%", ".0f"):
        used = [number for number in numbers if abs(number) < 1e15 or form[-1] not in "%f"]
        shown = tab.page.evaluate(
            "([all, form]) => all.map((n) => numbers.text(n, form))", [used, form]
        )
        assert shown == [format(number, form) for number in used]
