"""A worker that cannot load the compiled step ends the search, with a remedy."""

import pytest

import xortune
from tests.small_study import SETTINGS, SPACE
from xortune.engines import compiling
from xortune.engines.xor.native import build
from xortune.errors import NoEngineError, XortuneError


def test_a_library_that_workers_cannot_load_ends_the_search(ray, tmp_path, monkeypatch):
    library = b"for another kind of processor"
    monkeypatch.setattr(compiling, "_compile", lambda sources, compiler: library)
    monkeypatch.setattr(compiling, "_cache_file", lambda sources, compiler: None)
    monkeypatch.setattr(build, "load_library", lambda library: None)
    with pytest.raises(
        XortuneError, match="cannot run the study's engine.*with another engine"
    ) as caught:
        xortune.search(SPACE, name="s", results=tmp_path, runner="ray", **SETTINGS)
    assert not isinstance(caught.value, NoEngineError)
    states = xortune.load(tmp_path / "s").trials["state"]
    assert set(states) == {"WAITING"}
