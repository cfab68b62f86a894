"""The printed table and the lines above it."""

import io
import re
from dataclasses import asdict

import pytest
from rich.console import Console

from tests.cli.commands import rows_of
from tests.make import make_outcome, make_scores, make_table, make_trial
from tests.report.specs import FOREST, PLAIN, WIDE, make_table_of
from xortune.cli.columns import print_table, width_on
from xortune.cli.tables import summary_lines, trials_table
from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.report import summarise, trials_frame
from xortune.run_time import RunTime
from xortune.spec import Metric, Objective, Parameter, ProblemSpec
from xortune.trial import TrialRow


def printed(table, width: int = 80) -> str:
    """A table of trials as it is printed, without blank lines and spaces at the ends of lines."""
    file = io.StringIO()
    Console(file=file, width=width, markup=False).print(
        trials_table(trials_frame(table), table.spec)
    )
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines() if line.strip())


def longest(number: int, state: str) -> TrialRow:
    """A trial whose values are as long as they can be."""
    loss_fn = LOSS_FNS[number % len(LOSS_FNS)]
    trial = make_trial(number, 1, lr=1.2345e-30, epochs=2**31 - 1, seed=2**32 - 1, loss_fn=loss_fn)
    if state == "FAIL":
        return TrialRow(trial, make_outcome("FAIL", error="e" * 200))
    return TrialRow(trial, make_outcome(scores=make_scores(*[1.2345e-300] * 3, accuracy=1.0)))


def longest_frame():
    """Ten of the longest trials, with numbers of five digits."""
    rows = [longest(number, "FAIL" if number == 9 else "COMPLETE") for number in range(10)]
    frame = trials_frame(make_table(rows))
    return frame.assign(number=frame["number"] + 99_990)


def test_the_table_of_xor_to_the_character() -> None:
    trials = [
        make_trial(0, lr=0.123456, epochs=2000, seed=1, loss_fn="bce_with_logits"),
        make_trial(1, lr=2.0, epochs=50),
        make_trial(2),
        make_trial(3, lr=1e-5),
    ]
    outcomes = [make_outcome(scores=make_scores(0.1, 1.23456e-9, 0.2, 1.0)), make_outcome(),
                make_outcome("FAIL"), None]  # fmt: skip
    rows = [TrialRow(trial, outcome) for trial, outcome in zip(trials, outcomes)]
    assert printed(make_table(rows)).split("\n") == [
        " rank trial     lr epochs seed loss_fn         final_loss accuracy",
        " ─────────────────────────────────────────────────────────────────",
        "    1     0 0.1235   2000    1 bce_with_logits  1.235e-09     100%",
        "    2     1      2     50   42 mse              2.500e-01      75%",
        "    -     2    0.1  10000   42 mse                   FAIL        -",
        "    -     3  1e-05  10000   42 mse                WAITING        -",
    ]


def test_nothing_of_the_longest_values_is_cut_off() -> None:
    file = io.StringIO()
    Console(file=file, width=80).print(trials_table(longest_frame(), SPEC))
    out = file.getvalue()
    assert "…" not in out
    assert "left out" not in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert [row[5] for row in rows_of(out)] == [LOSS_FNS[i % 3] for i in range(10)]
    for text in ("2147483647", "4294967295", "1.234e-30", "1.234e-300", "99999", "FAIL", "100%"):
        assert text in out
    for heading in ("rank", "trial", "lr", "epochs", "seed", "loss_fn", "final_loss", "accuracy"):
        assert heading in out


def test_one_character_too_many_leaves_out_the_last_parameter_that_is_the_same_in_all_rows() -> (
    None
):
    frame = longest_frame()
    table = trials_table(frame.assign(number=frame["number"] + 10), SPEC)
    names = [str(column.header) for column in table.columns]
    assert names == ["rank", "trial", "lr", "epochs", "loss_fn", "final_loss", "accuracy"]
    assert table.caption == "left out to fit 80 characters: seed"


@pytest.mark.parametrize("width", [80, 200])
def test_parameters_that_do_not_fit_are_named_below_the_table(width) -> None:
    rows = [((0.123456,) * 12, (0.5, 0.25, 1.0)), ((0.5,) * 12, None)]
    heading, _, first, second, *below = printed(make_table_of(WIDE, rows), width).split("\n")
    shown = [name for name in WIDE.names if name in heading]
    assert heading.split() == ["rank", "trial", *shown, "final_loss", "recall"]
    assert shown == list(WIDE.names[:3])
    assert len(heading) <= 80 < len(heading) + len(" parameter_04")
    assert first.split() == ["1", "0", *["0.1235"] * 3, "5.000e-01", "25%"]
    assert second.split() == ["-", "1", *["0.5"] * 3, "FAIL", "-"]
    said = " ".join(" ".join(below).split())
    left_out = ", ".join((*WIDE.names[3:], "precision"))
    assert said == f"left out to fit 80 characters: {left_out}"


def test_what_has_one_value_goes_first_and_then_the_trainers_own_number() -> None:
    names = ("width", "activation", "loss_fn", "epochs", "batch_size", "lr", "seed", "rate")
    parameters = tuple(Parameter(name, "float", 0.5) for name in names)
    metrics = (Metric("train_loss"), Metric("mse", "loss"), Metric("r2"), Metric("q90"))
    spec = ProblemSpec("mine", parameters, metrics, "mse", (Objective("r2", "maximize"),))
    fixed = {"loss_fn": 3.0, "epochs": 40.0, "batch_size": 32.0, "seed": 0.0, "rate": 0.1234}
    rows = [
        (tuple(fixed.get(name, 0.125 + number) for name in names), (0.5, 0.1 + number, 0.9, 0.25))
        for number in range(3)
    ]
    frame = trials_frame(make_table_of(spec, rows))
    frame["q90"], frame["train_loss"] = frame["number"] / 8.0, frame["number"] / 4.0

    def headings(width: int) -> tuple[list[str], str]:
        table = trials_table(frame, spec, width, {"width", "activation", "lr", "loss_fn"})
        caption = str(table.caption or "")
        return [str(column.header) for column in table.columns], caption.partition(": ")[2]

    always, searched = ["rank", "trial"], ["width", "activation", "lr"]
    assert headings(20) == ([*always, "r2"], ", ".join((*names, "final_loss", "train_loss", "q90")))
    assert headings(52)[0] == [*always, *searched, "final_loss", "r2"]
    assert headings(57)[0] == [*always, *searched, "final_loss", "r2", "q90"]
    assert headings(66) == (
        [*always, "width", "activation", "loss_fn", "lr", "final_loss", "r2", "q90"],
        "epochs, batch_size, seed, rate, train_loss",
    )
    assert headings(80)[1] == "epochs, batch_size, seed, rate"
    assert headings(200)[1] == ""


@pytest.mark.parametrize("width", [60, 40, 24, 10])
def test_a_narrow_terminal_gets_fewer_columns_and_no_digit_less(width) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width, markup=False)
    print_table(console, trials_table(longest_frame(), SPEC, width_on(console)))
    out = file.getvalue()
    table, _, said = out.partition("left out to fit")
    heading, rows = table.split("\n", 2)[1].split(), rows_of(out)
    assert heading[:2] == ["rank", "trial"]
    assert "final_loss" in heading
    assert {*heading} | {*re.findall(r"\w+", said)} >= {*SPEC.names, "final_loss", "accuracy"}
    assert said.split()[:2] == [str(width), "characters:"]
    assert "…" not in out
    assert [row[heading.index("final_loss")] for row in rows] == ["1.234e-300"] * 9 + ["FAIL"]
    # Rank, trial and objective take 24.
    assert max(map(len, table.splitlines())) <= max(width, 24)


def test_a_wide_terminal_gets_the_table_of_80_characters() -> None:
    assert width_on(Console(file=io.StringIO(), width=200)) == 80


def test_a_long_text_is_left_out_and_not_cut() -> None:
    rows = [((4, 0.5, True, 8, 1, "all"), (0.5, 0.25, 1.0))]
    frame = trials_frame(make_table_of(FOREST, rows))
    frame["features"] = frame["features"].where(frame["number"] != 0, "x" * 40)
    file = io.StringIO()
    Console(file=file, width=80).print(trials_table(frame, FOREST))
    assert "x" not in file.getvalue().partition("left out")[0]
    assert "left out to fit 80 characters: features" in file.getvalue()


def test_texts_and_booleans_stand_left_and_numbers_right() -> None:
    rows = [((4, 0.5, True, 8, 1, "all"), (0.5, 0.25, 1.0)),
            ((1234, None, None, None, 0.5, 0.5), None)]  # fmt: skip
    assert printed(make_table_of(FOREST, rows)).split("\n") == [
        " rank trial depth momentum bootstrap width shrink features final_loss  f1",
        " ────────────────────────────────────────────────────────────────────────",
        "    1     0     4      0.5 True          8      1 all       5.000e-01 25%",
        "    -     1  1234        - -             -    0.5 0.5            FAIL   -",
    ]


def test_the_longest_summary_fits_80_columns() -> None:
    summary = summarise(longest_frame(), SPEC)
    for seconds in (0.01, 9.9, 9.96, 99.9, 999.4, 999.6, 59_000.0, 3_000_000.0):
        time = dict.fromkeys(asdict(RunTime(*[seconds] * 8)), seconds)
        lines = summary_lines("xor-20260101-120000", {**summary, "time": time}, 100_000)
        assert len(lines) == 7
        assert [line for line in lines if len(line) > 80] == []


def test_an_error_that_stands_for_others_with_other_numbers_says_so() -> None:
    def said(failures):
        summary = {**summarise(longest_frame(), SPEC), "time": {}, "failures": failures}
        lines = summary_lines("one", summary, 10)
        return [line for line in lines if "failed" in line or "differ" in line]

    words = "  (errors that differ in their numbers alone count as one)"
    assert said({"at width 65": 4, "b": 1}) == ["failed: 4 x at width 65", "failed: 1 x b", words]
    assert said({"at width 65": 1}) == ["failed: 1 x at width 65"]
    assert said({"too slow": 4}) == ["failed: 4 x too slow"]


def test_the_lines_of_any_spec() -> None:
    rows = [((4, 0.5, True, 8, 1, "all"), (0.5, 0.25, 10.0)),
            ((4, 0.5, False, 8, 1, "all"), (0.125, 0.5, 11.0))]  # fmt: skip
    summary = summarise(trials_frame(make_table_of(FOREST, rows)), FOREST)
    assert summary_lines("one", {**summary, "time": {}}, 2) == [
        "study one: 2 trials (2 COMPLETE)",
        "solved: 1 of 2 complete trials (50%)",
        "best with True: 0.25 (trial 0)",
        "best with False: 0.5 (trial 1)",
    ]
    summary = summarise(trials_frame(make_table_of(PLAIN, [((0.5,), (1.0, 2.0))])), PLAIN)
    assert summary_lines("one", {**summary, "time": {}}, 1) == ["study one: 1 trial (1 COMPLETE)"]
