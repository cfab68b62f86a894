"""Entries of a search space and the annotations of a model's keywords."""

from __future__ import annotations

import pytest

from xortune.problems.module.annotated import annotations_at_fault
from xortune.space import inferred_parameters


def written(width: int, rate: float, act: str, bias: bool, free, odd: int | None = None):
    """Annotations are texts in this file."""


def evaluated(width, rate, act, bias, free, odd=None):
    """They are types here."""


evaluated.__annotations__ = {"width": int, "rate": float, "act": str, "bias": bool}


@pytest.mark.parametrize("model", [written, evaluated])
@pytest.mark.parametrize(
    ("name", "entry", "fault"),
    [
        ("width", {"values": ["a", 4]}, "model takes whole numbers (width: int), found 'a'"),
        ("width", {"values": [4, 8.0, True]}, "found 8.0, True"),
        ("width", {"min": 1.0, "max": 4.0}, "found a range of fractions"),
        ("width", {"min": 1, "max": 4}, ""),
        ("rate", {"values": [1, 0.5]}, ""),
        ("rate", {"min": 0, "max": 4}, ""),
        ("rate", {"value": "1e-3"}, "model takes numbers (rate: float), found '1e-3'"),
        ("act", {"values": ["Tanh", 1]}, "model takes texts (act: str), found 1"),
        ("act", {"min": 1, "max": 4}, "found a range of whole numbers"),
        ("bias", {"values": [True, False]}, ""),
        ("bias", {"values": [0, 1]}, "model takes true and false (bias: bool), found 0, 1"),
        ("free", {"values": ["a", 1]}, ""),
        ("odd", {"values": ["a", 1]}, ""),
        ("lr", {"value": "a"}, ""),
    ],
)
def test_an_entry_has_the_annotated_type(model, name, entry, fault):
    faults = annotations_at_fault(model, inferred_parameters({name: entry}))
    if not fault:
        assert faults == []
        return
    (found,) = faults
    assert found.startswith(f"parameters.{name}: ")
    assert found.endswith(fault)
