"""The page as text: what is in it, and that nothing from outside is more than text."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import plotly.graph_objects as go

from tests.hostile import HOSTILE, steering
from tests.report.page.made import complete, failed, make_results, make_spec
from xortune.escaping import visible
from xortune.report.page import About, Command, Drawing, html_page
from xortune.report.page.assets import plotly
from xortune.report.plots import Picture, pictures

SPEC = make_spec()
RESULTS = make_results(
    SPEC,
    [
        ((0.1, "a", 1), complete(SPEC, 0.5, 2.0)),
        ((0.2, "b", 2), failed("lost its way at 7")),
        ((0.3, "b", 3), failed("lost its way at 8")),
        ((0.4, "b", 4), None),
    ],
)


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.texts.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def without_figures(**about):
    return html_page(RESULTS, [], [], About(**about) if about else None)


def data_of(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def test_the_head_says_what_was_searched_and_what_came_out():
    said = Parsed(without_figures(total=4)).text
    assert "A search of rate, word and seed for the highest height." in said
    assert "3 of 4 trials are finished: 1 complete and 2 failed." in said
    assert "Rank 1 is trial 0" in said
    assert "no trial was trained again on fresh seeds" in said


def test_errors_that_differ_in_their_numbers_are_one_reason():
    said = Parsed(without_figures()).text
    assert "lost its way at 7 2 trials: 1, 2" in said
    assert "lost its way at 8" not in said


def test_a_snapshot_says_that_it_is_one():
    assert "A snapshot." in Parsed(without_figures(is_running=True)).text
    assert "A snapshot." not in Parsed(without_figures()).text


def test_commands_stand_as_they_are_pasted():
    text = "python -m xortune resume 'a b' --trials 8"
    page = without_figures(resume=Command("Go on:", text))
    found = re.search(r'<pre class="command".*?><code>(.*?)</code>', page, re.S)[1]
    assert unescape(re.sub(r"<[^>]+>", "", found)) == text


def test_headings_are_in_order_and_lead_to_what_they_name():
    page = Parsed(html_page(RESULTS, pictures(RESULTS), []))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [a["href"][1:] for a in page.named("a") if a["href"].startswith("#")]
    wanted += [a[key] for _, a in page.elements for key in a if key.startswith("aria-labelledby")]
    assert set(wanted) <= set(ids)


def test_a_picture_has_a_name_and_words_for_those_who_do_not_see_it():
    (plot, *_) = (a for a in Parsed(html_page(RESULTS, pictures(RESULTS), [])).named("div")
                  if a.get("class") == "plot")  # fmt: skip
    assert plot["role"] == "img"
    assert plot["aria-label"]
    assert plot["aria-describedby"] == f"{plot['id']}-words"


def policy_of(trace):
    """The content security policy of a page with a figure of one trace."""
    figure = go.Figure(trace, layout={"template": None})
    page = Parsed(html_page(RESULTS, [Picture("cost", "Cost", figure, "Words.")], []))
    (policy,) = (one["content"] for one in page.named("meta") if "http-equiv" in one)
    return policy


def test_nothing_is_fetched_and_no_other_script_runs():
    policy = policy_of(go.Scatter(y=[1, 2]))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.partition("style-src")[0]


def test_only_pictures_that_need_webgl_permit_plotly_to_compile():
    assert "'unsafe-eval'" in policy_of(go.Scattergl(y=[1, 2])).partition("style-src")[0]


def test_a_page_without_pictures_has_no_plotly():
    assert len(without_figures()) < 100_000


def test_a_page_is_the_same_whenever_it_is_written():
    assert html_page(RESULTS, pictures(RESULTS), []) == html_page(RESULTS, pictures(RESULTS), [])


def test_all_rows_are_in_the_page_with_all_their_digits():
    held = data_of(without_figures(), "leaderboard-data")
    assert held["rows"] == 4
    (heights,) = (c["values"] for c in held["columns"] if c["name"] == "height")
    assert heights == [2.0, None, None, None]


def test_a_drawing_stands_in_the_page_as_it_is():
    svg = '<svg width="300" height="20" role="img"><title>a drawing</title></svg>'
    assert svg in html_page(RESULTS, [], [Drawing("network", "Network", svg, "Words.")])


def test_texts_from_outside_stay_texts():
    texts = [*HOSTILE, "</script><script>alert(1)</script>", "<!--<script>", "'\"><b>"]
    spec = make_spec(texts)
    ones = [((0.1, text, 1), complete(spec, 0.5, 2.0, worker=text)) for text in texts]
    others = [((0.2, text, 2), failed(text, worker=text)) for text in texts]
    everything = visible(" ".join(texts))
    about = About(resume=Command(everything, everything), space_text=everything)
    for outcomes in (ones, others):
        results = make_results(spec, outcomes, name=everything)
        page = html_page(results, pictures(results), [], about).replace(plotly(), "")
        parsed = Parsed(page)
        assert {tag for tag, _ in parsed.elements} <= TAGS
        assert not any(key.startswith("on") for _, found in parsed.elements for key in found)
        assert len(parsed.named("script")) == len(pictures(results)) + 3 + bool(pictures(results))
        assert not steering(page.replace("\t", ""))
        held = data_of(page, "leaderboard-data")
        (words,) = (c["texts"] for c in held["columns"] if c["name"] == "worker")
        assert words == sorted(map(visible, texts))
        assert parsed.text.count(" ".join(everything.split())) == 5


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section"),
    *("a", "p", "h1", "h2", "h3", "ol", "ul", "li", "dl", "dt", "dd", "div", "span", "figure"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "button", "label", "input"),
    *("fieldset", "legend", "details", "summary", "noscript", "pre", "code", "script", "strong"),
}


def test_no_line_ends_within_a_number():
    words = "From 9.04e-09 to -1.5, 93 % of <b>, 68% (60% to 75%), a-1 and 10,000."
    figure = go.Figure(go.Scatter(y=[1, 2]), layout={"template": None})
    page = html_page(RESULTS, [Picture("cost", "Cost", figure, words)], [])
    (shown,) = (line for line in page.splitlines() if "9.04e-09" in line)
    assert re.findall(r'<span class="unbroken">(.*?)</span>', shown) == [
        "9.04e-09", "-1.5", "93 %", "68%", "60%", "75%",
    ]  # fmt: skip
    assert unescape(re.sub("<[^>]+>", "", shown)) == words
