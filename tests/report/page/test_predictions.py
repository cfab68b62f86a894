"""The truth against the prediction: every row is there, and the words have its numbers."""

from hypothesis import given
from hypothesis import strategies as st

from xortune.report.page.predictions import predictions
from xortune.trial import Answers

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_each_row_is_a_dot_on_axes_of_one_range(rows):
    truths, answers = zip(*rows)
    picture = predictions(3, Answers("price", (), truths, answers))
    dots, layout = picture.figure.data[1], picture.figure.layout
    assert [*zip(dots.x, dots.y)] == rows
    assert layout.xaxis.range == layout.yaxis.range
    low, high = layout.xaxis.range
    assert all(low < value < high for row in rows for value in row)


def test_the_words_say_how_far_predictions_are_away():
    answers = Answers("price", (), (1.0, 2.0, 3.0, 4.0), (1.5, 2.25, 3.0, 2.0))
    assert predictions(3, answers).words == (
        "Trial 3 on 4 test rows: half of its predictions of price are less than 0.5 away from the "
        "truth, the furthest 2; 50% are too high."
    )


def test_of_very_many_rows_some_are_drawn_and_the_words_say_so():
    many = tuple(map(float, range(10_000)))
    picture = predictions(3, Answers("price", (), many, many))
    assert len(picture.figure.data[1].x) == 3334
    assert picture.words.endswith("One dot in 3 is drawn.")


def test_no_rows_are_no_fault():
    for classes in ((), ("a", "b")):
        words = predictions(3, Answers("price", classes, (), ())).words
        assert words == "There are no test rows for trial 3."


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1))
def test_each_cell_counts_the_rows_of_a_class_that_are_taken_for_another(rows):
    truths, answers = zip(*[(float(a), float(b)) for a, b in rows])
    picture = predictions(3, Answers("colour", ("red", "green", "blue"), truths, answers))
    counts = picture.figure.data[0].z
    assert [[*row] for row in counts] == [
        [rows.count((truth, answer)) for answer in range(3)] for truth in range(3)
    ]
    right = sum(truth == answer for truth, answer in rows)
    assert f"{right:,} are right" in picture.words


def test_the_most_frequent_mistake_is_named():
    answers = Answers("colour", ("red", "gre<b>en"), (0.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0))
    picture = predictions(3, answers)
    assert picture.words.endswith("The most frequent mistake: 2 rows of gre<b>en taken for red.")
    assert "<" not in "".join(picture.figure.data[0].x)
