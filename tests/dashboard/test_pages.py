"""The pages of optuna-dashboard over a real search, in a real browser."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError, expect

import xortune
from tests.browser import WIDE, Chromium
from tests.cli.commands import contents
from tests.dashboard.studies import mixed_study
from xortune.dashboard.server import Server, serving
from xortune.paths import studies_in

# The trials are trained one after another, and each waits for its file; it reports three values of
# its objective.
GATED = """
import pathlib, time
import xortune

def train(config, report):
    gates = pathlib.Path(config["gates"])
    with (gates / "begun").open("a+") as begun:
        begun.write(f"{config['x']}\\n")
        begun.seek(0)
        number = len(begun.readlines()) - 1
    while not (gates / str(number)).exists():
        time.sleep(0.01)
    for epoch in (1, 2, 3):
        report(epoch, height=config["x"] / epoch)
    return {"height": config["x"] / 3}

problem = xortune.Problem(
    train,
    objective="height:max",
    space={"x": {"min": 100, "max": 999}, "gates": {"value": GATES}},
)
"""
TRIALS = 12


@contextmanager
def served(results: Path, said: list[str] | None = None) -> Iterator[Server]:
    """A dashboard of a results folder, on a free port."""
    heard = [] if said is None else said
    with serving(lambda: studies_in(results), heard.append, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Search:
    """A search in a thread, whose trials end when they are let."""

    def __init__(self, folder: Path) -> None:
        self.gates = folder / "gates"
        self.gates.mkdir()
        (folder / "gated.py").write_text(GATED.replace("GATES", repr(str(self.gates))))
        self.study: xortune.Study | None = None
        self._moved = threading.Condition()
        self._done = -1
        self._folder = folder
        self._thread = threading.Thread(target=self._search)

    def __enter__(self) -> Search:
        self._thread.start()
        self.wait_for(0)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.let(TRIALS)
        self._thread.join()

    def wait_for(self, done: int) -> None:
        """Waits until the ledger holds this many finished trials."""
        with self._moved:
            assert self._moved.wait_for(lambda: self._done >= done, timeout=60)

    def let(self, count: int) -> list[int]:
        """Lets so many trials end; returns the x of all of them."""
        for number in range(count):
            (self.gates / str(number)).touch()
        self.wait_for(count)
        begun = (self.gates / "begun").read_text().split()
        return [int(x) for x in begun[:count]]

    def _search(self) -> None:
        def moved(progress: xortune.loop.search.Progress) -> None:  # type: ignore[name-defined]
            with self._moved:
                self._done = progress.done
                self._moved.notify_all()

        self.study = xortune.search(
            problem=self._folder / "gated.py",
            trials=TRIALS,
            pack_size=1,
            sampler="random",
            runner="inline",
            results=self._folder / "results",
            name="live",
            on_progress=moved,
            confirm="none",
        )


def ask(server: Server, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    try:
        connection.request(method, path, body="{}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def charts(page: Page) -> dict[str, list[dict[str, list[float]]]]:
    """The points of every chart of the page, by the id of its element."""
    found: dict[str, list[dict[str, list[float]]]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.js-plotly-plot')].map(plot =>
          [plot.id, plot.data.map(line => ({x: [...(line.x ?? [])], y: [...(line.y ?? [])]}))]))"""
    )
    return found


def expect_best(page: Page, values: list[int]) -> None:
    """The page has the number, the value and the parameter of the best trial, or will have them."""
    number, x = values.index(max(values)), max(values)
    expect(page.get_by_text(f"Best Trial (number={number})")).to_be_visible()
    value = str(x / 3).removesuffix(".0")  # as JavaScript writes it
    expect(page.get_by_text(value, exact=True).first).to_be_visible()
    expect(page.get_by_text(f"Params = [x: {x}, ")).to_be_visible()


def wait_for_points(page: Page, count: int) -> None:
    """Waits until a chart has so many points, while the page's clock brings its next requests."""
    has_them = """count => [...document.querySelectorAll('.js-plotly-plot')].some(plot =>
        plot.data.some(line => line.y && line.y.length == count))"""
    for _ in range(60):
        page.clock.fast_forward(10_000)
        with suppress(TimeoutError):
            page.wait_for_function(has_them, arg=count, timeout=500)
            return
    raise AssertionError(f"no chart has {count} points")


def test_a_search_is_watched_while_it_runs(tmp_path, chromium: Chromium):
    with Search(tmp_path) as search, served(tmp_path / "results") as server:
        first = search.let(4)
        with chromium.tab(WIDE) as tab:
            page = tab.page
            page.clock.install()
            page.goto(server.url)
            page.get_by_text("1. live").click()
            expect_best(page, first)
            page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length >= 3")
            lines = [line for plot in charts(page).values() for line in plot]
            assert {"x": [0, 1, 2, 3], "y": [x / 3 for x in first]} in lines
            for x in first:
                assert {"x": [1, 2, 3], "y": [x, x / 2, x / 3]} in lines
            both = search.let(9)
            wait_for_points(page, 9)
            expect_best(page, both)
            assert (tab.requests, tab.errors) == ([], [])
    assert search.study is not None
    assert len(search.study.trials) == TRIALS


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    results = tmp_path_factory.mktemp("results")
    mixed_study(results / "mixed")
    text = "</script><img src=x onerror=alert(1)>[a](javascript:alert(2))"
    mixed_study(results / "hostile", error=text)
    return results


def test_no_page_has_a_button_that_writes_or_asks_another_host(results, chromium):
    before = contents(results)
    with served(results) as server, chromium.tab(WIDE) as tab:
        page, writing = tab.page, ("delete study", "rename study")
        page.on("dialog", lambda dialog: tab.errors.append(dialog.message))
        page.goto(server.url)
        expect(page.get_by_text("2. mixed")).to_be_visible()
        for label in writing:
            assert page.get_by_label(label).count() == 2
            assert not any(button.is_visible() for button in page.get_by_label(label).all())
        assert page.get_by_role("button", name="Create").count() == 0
        for path in ("/studies/2", "/studies/2/analytics", "/studies/1/trials?numbers=3"):
            page.goto(f"{server.url}{path}")
            page.wait_for_load_state("networkidle")
            assert not any(icon.is_visible() for icon in page.get_by_test_id("EditIcon").all())
        expect(page.get_by_text("onerror=alert(1)", exact=False).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
        assert (tab.requests, tab.errors) == ([], [])
    assert contents(results) == before


def test_every_request_that_writes_is_refused_by_the_server(results):
    before = contents(results)
    requests = [
        *(("POST", "/api/studies"), ("DELETE", "/api/studies/1"), ("PUT", "/api/studies/1/note")),
        *(("POST", "/api/studies/1/rename"), ("POST", "/api/trials/10000000/tell")),
        *(("POST", "/api/trials/10000000/user-attrs"), ("PUT", "/api/studies/1/1/note")),
        *(("POST", "/api/studies/1/preference"), ("POST", "/api/artifacts/1/1")),
    ]
    with served(results) as server:
        for method, path in requests:
            status, content = ask(server, method, path)
            assert status == 403, (method, path)
            assert "export the study to Optuna" in json.loads(content)["reason"]
    assert contents(results) == before


def test_another_name_for_this_machine_is_refused_by_the_server(results):
    with served(results) as server:
        assert ask(server, "GET", "/api/studies", Host="evil.example")[0] == 403
        assert ask(server, "GET", "/api/studies", Host="localhost:1")[0] == 200


@pytest.mark.parametrize(
    "plot", ["contour", "slice", "parallel_coordinate", "rank", "edf", "timeline"]
)
def test_the_plots_that_optuna_makes_itself_are_served(results, plot):
    with served(results) as server:
        status, content = ask(server, "GET", f"/api/studies/2/plot/{plot}")
        assert status == 200
        assert json.loads(content)["data"]


def test_a_table_can_be_downloaded(results):
    with served(results) as server:
        status, content = ask(server, "GET", "/csv/2")
    assert status == 200
    assert content.decode().splitlines()[0].startswith("Number,State,mse,Param epochs")
    assert len(content.decode().splitlines()) == 9


def test_a_damaged_study_does_not_take_the_others_down(results, tmp_path):
    mixed_study(tmp_path / "sound")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.db").write_bytes(b"no ledger")
    said: list[str] = []
    with served(tmp_path, said) as server:
        for _ in range(2):
            status, content = ask(server, "GET", "/api/studies")
            names = [study["study_name"] for study in json.loads(content)["study_summaries"]]
            assert (status, names) == (200, ["sound"])
    assert len(said) == 1
    assert said[0].startswith("study broken is not shown: ")
