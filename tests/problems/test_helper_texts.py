"""The text of functions with what they use of their module, by which a change is noticed."""

import math

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
