"""The head of a page: what came out, and how well it is known."""

from tests.make import SPEC as XOR
from tests.report.page.made import complete, failed, make_results, make_spec
from tests.report.test_confirmed import entry
from xortune.report import facts
from xortune.report.page import html_page
from xortune.report.page.about import About
from xortune.report.page.head import advice, best_of_choices, lede
from xortune.report.page.head import facts as tiles

SPEC = make_spec()
ABOUT = About()
ONE = ((0.1, "a", 1), complete(SPEC, 0.5, 2.0))
TWO = ((0.2, "b", 2), complete(SPEC, 0.5, 7.0))
LOST = ((0.3, "b", 3), failed("lost"))


def confirmed(*entries, recommended):
    """Results of XOR whose best trials were confirmed."""
    rows = [((0.1 + n, 20, n, "mse"), complete(XOR, 0.1, 0.1 + n, 0.1, 1.0)) for n in range(2)]
    results = make_results(XOR, rows)
    used = next((e for e in entries if e["number"] == recommended), None)
    results.summary["confirmation"] = {"of": 2, "aggregate": "mean", "trials": entries}
    results.summary["first"] = 0
    results.summary["recommended"] = used and {
        "number": recommended, "params": {"lr": 1.1, "loss_fn": "mse"}, **facts(XOR, used)
    }  # fmt: skip
    return results


def test_a_confirmed_trial_comes_with_what_is_known_of_it():
    best, other = entry(1, 0.0102, std=0.043, solved=241), entry(0, 0.051, solved=189)
    said = advice(confirmed(best, other, recommended=1), ABOUT)
    assert (said.title, said.number) == ("Use trial 1", 1)
    assert [*said.params] == [("lr", "1.1"), ("loss_fn", "mse")]
    assert said.quality == (
        "Mean mse 0.0102, std 0.043, on 256 fresh seeds; solves 94% (91% to 96%)."
    )
    assert said.sentences[1] == (
        "For comparison, rank 1, trial 0: mean mse 0.051, solves 74% (68% to 79%)."
    )


def test_where_no_trial_passed_none_is_recommended():
    said = advice(confirmed(entry(0, 0.1), recommended=None), ABOUT)
    assert said.title == "No trial to recommend"
    assert said.sentences[0].startswith("Nothing to recommend: of 2 confirmed")


def test_a_trial_that_was_not_confirmed_comes_with_a_word_of_caution():
    said = advice(make_results(SPEC, [ONE, TWO, LOST]), ABOUT)
    assert said.title == "Rank 1 is trial 1"
    assert said.quality == "Height 7, the best of 2 trials."
    assert "no trial was trained again on fresh seeds" in said.sentences[0]


def test_without_a_complete_trial_there_is_nothing_to_recommend():
    for total, said in (
        (1, "There is nothing to recommend."),
        (2, "There is nothing to recommend yet."),
    ):
        found = advice(make_results(SPEC, [LOST]), About(total=total))
        assert (found.title, found.sentences) == ("No trial is complete", (said,))


def test_the_lede_counts_what_is_there():
    search = "A search of rate, word and seed for the highest height."
    for rows, total, said in (
        ([ONE, TWO], 2, "All 2 trials are complete."),
        ([ONE, TWO, LOST], 3, "3 trials: 2 complete and 1 failed."),
        ([ONE], 3, "1 of 3 trials is finished."),
        ([ONE, LOST], 3, "2 of 3 trials are finished: 1 complete and 1 failed."),
        ([], 3, "0 of 3 trials are finished."),
        ([ONE], 1, "1 trial: 1 complete."),
    ):
        assert lede(make_results(SPEC, rows), About(total=total)) == f"{search} {said}"


def test_the_numbers_that_stand_out():
    found = {fact.label: fact for fact in tiles(make_results(SPEC, [ONE, TWO, LOST]), ABOUT)}
    assert found["highest height"].value == "7"
    assert found["highest height"].note == "rank 1, trial 1"
    assert (found["trials"].value, found["trials"].note) == ("3", "1 failed")
    assert found["time"].value == "3.0s"


def test_of_a_running_search_the_tile_says_how_many_trials_of_all_are_finished():
    results = make_results(SPEC, [ONE, TWO, LOST, ((0.4, "a", 4), None)])
    found = {fact.label: fact for fact in tiles(results, About(total=1500))}["trials"]
    assert (found.value, found.note) == ("3 of 1,500", "1 failed")


def test_only_what_varies_is_searched_and_compared():
    spec = make_spec(["a"])
    results = make_results(spec, [((0.1, "a", 1), complete(spec, 0.5, 2.0))])
    assert lede(results, ABOUT).startswith("A search of rate and seed for the highest height.")
    results.summary["best"] = {"a": {"number": 0, "rank": 1, "final_loss": 0.5}}
    assert best_of_choices(results) == []
    results.summary["best"]["b"] = {"number": 1, "rank": 2, "final_loss": 0.75}
    assert best_of_choices(results) == [("a", "0.5", 0), ("b", "0.75", 1)]


def test_validation_rows_are_not_called_rows_that_the_search_has_not_used():
    results = make_results(SPEC, [ONE])
    results.summary["test"] = {
        "number": 0, "scores": {"height": 1.0}, "validation": {"height": 2.0}
    }  # fmt: skip
    page = html_page(results, [], [])
    assert "Trial 0 on validation and test rows" in page
    assert "The search has not used the test rows." in page
