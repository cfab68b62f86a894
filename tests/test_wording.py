"""Messages in the caller's language."""

import shlex

import pytest

from xortune.cli.arguments import parse
from xortune.wording import command, did_you_mean, for_the_shell, option


def test_settings_in_python():
    assert option("study_seed") == "study_seed"
    assert option("device", "cpu") == "device='cpu'"
    assert option("force", True) == "force=True"


def test_settings_in_the_shell():
    with for_the_shell():
        assert option("study_seed") == "--study-seed"
        assert option("device", "cpu") == "--device cpu"
        assert option("force", True) == "--force"
    assert option("study_seed") == "study_seed"


def test_the_language_comes_back_after_an_error():
    with pytest.raises(ValueError, match="x"), for_the_shell():
        raise ValueError("x")
    assert option("trials") == "trials"


@pytest.mark.parametrize("folder", ["results/one", "with a space/it's", "-x"])
def test_commands_can_be_pasted(folder):
    with for_the_shell():
        words = shlex.split(command("resume", folder, trials=16))
    assert words[:3] == ["python", "-m", "xortune"]
    parsed = parse(words[3:])
    assert (parsed.study.removeprefix("./"), parsed.trials) == (folder, 16)
    assert command("resume", folder, trials=16) == f"xortune.resume({folder!r}, trials=16)"


def test_a_hint_is_the_closest_name_in_capitals_or_not():
    assert did_you_mean("Epohcs", ["rate", "epochs"]) == " Did you mean epochs?"
    assert did_you_mean("x", ["rate", "epochs"]) == did_you_mean("", []) == ""
    assert did_you_mean("e" * 10_000, ["epochs"]) == ""
