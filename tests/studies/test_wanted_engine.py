"""An engine that does not exist is refused before anything is written."""

import pytest

import xortune
from xortune.errors import UsageError


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"engine": "fast"}, "engine 'fast': must be one of auto, eager, compiled."),
        ({"engine": "eager-1"}, "engine 'eager-1': must be one of auto, eager, compiled."),
        ({"engine": "fast", "trials": 0, "workers": 0}, "engine 'fast': must be one of"),
    ],
)
def test_an_unknown_engine_is_refused(tmp_path, given, text):
    with pytest.raises(UsageError) as caught:
        xortune.search("smoke", runner="inline", results=tmp_path / "results", **given)
    lines = str(caught.value).splitlines()
    assert text in lines[0]
    assert len(lines) == len(given)
    assert list(tmp_path.iterdir()) == []
