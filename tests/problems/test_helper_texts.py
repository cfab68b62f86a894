"""The text of functions with what they use of their module, by which a change is noticed."""

import functools
import math

from torch import nn

from xortune.problems.helper_texts import text_with_helpers

SCALE = 3


class Base:
    rate = 0.5

    def start(self):
        return "started"


class Thing(Base):
    def go(self):
        return twice(self.rate)


def twice(x):
    return 2 * x


def uses_thing(x):
    return [Thing().go() for _ in range(3)] + [x * SCALE]


def uses_nothing(x):
    return math.sqrt(x)


def test_functions_and_classes_of_the_module_come_with_their_own():
    text = text_with_helpers([uses_thing])
    for part in ("def uses_thing", "class Thing(Base)", "class Base", "def twice", "SCALE = 3"):
        assert text.count(part) == 1, part
    assert "Base.rate = 0.5" in text


def test_what_belongs_to_others_is_left_out():
    text = text_with_helpers([uses_nothing])
    assert text.startswith("def uses_nothing")
    assert "SCALE" not in text
    assert "def sqrt" not in text


def test_what_is_around_a_function_counts():
    def maker(factor, helper):
        return lambda x: helper(factor * x)

    first, second = (text_with_helpers([maker(factor, twice)]) for factor in (1.5, 2.5))
    assert "factor = 1.5" in first
    assert "def twice" in first
    assert first != second


def test_another_value_of_the_module_is_another_text(monkeypatch):
    before = text_with_helpers([uses_thing])
    monkeypatch.setitem(globals(), "SCALE", 4)
    assert text_with_helpers([uses_thing]) != before


def test_each_is_there_once_though_they_use_each_other():
    def one():
        return other

    def other():
        return one

    assert text_with_helpers([one, other, one]).count("def one") == 1


def test_without_a_text_there_is_none():
    assert text_with_helpers([uses_nothing, eval("lambda: 1")]) == ""
    assert text_with_helpers([math.sqrt]) == ""


class Weighted:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, output, target):
        return twice(self.weight)


def test_an_object_is_its_class_and_its_numbers():
    text = text_with_helpers([uses_nothing, Weighted(0.25)])
    for part in ("class Weighted", "Weighted.weight = 0.25", "def twice"):
        assert part in text
    assert text != text_with_helpers([uses_nothing, Weighted(0.5)])


def test_what_is_given_in_part_counts():
    three, four = (functools.partial(uses_thing, x=x) for x in (3, 4))
    assert "partial.x = 3" in text_with_helpers([three])
    assert text_with_helpers([three]) != text_with_helpers([four])


def test_a_part_of_a_library_is_named_and_not_copied():
    def text(delta):
        return text_with_helpers([uses_nothing, nn.MSELoss(), nn.HuberLoss(delta=delta)])

    assert text(2.0).count("\n") < 12
    assert "torch.nn.modules.loss.MSELoss" in text(2.0)
    assert "HuberLoss.delta = 2.0" in text(2.0)
    assert text(2.0) == text(2.0) != text(3.0)
    assert len(text_with_helpers([uses_nothing, nn.functional.mse_loss])) < 4000
