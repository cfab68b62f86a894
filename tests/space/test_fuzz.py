"""Search-space files of every kind: a space, or one message that says what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.space.spaces import inside, load_xor
from xortune.cli import main
from xortune.errors import UsageError
from xortune.paths import shipped_spaces
from xortune.settings import StudySettings

# How many cases the quick and the long part run.
QUICK, LONG = 100, 2000
# Longer than what any honest file gets told.
_LONGEST_LINE = 600

SCALARS = (
    "0", "1", "-1", "0.5", "1e-3", "1e400", "-1e400", "1e-400", ".nan", ".inf", "-.inf", "~",
    "null", "yes", "no", "true", "1_000", "0x1F", "0b101", "0o17", "017", "1:30", "190:20:30.15",
    "+.5", "1.", "9" * 400, "9" * 5000, "0x" + "f" * 5000, "0b" + "1" * 20000, "1" + ":59" * 3000,
    "1" + ":59" * 3000 + ".5", "2147483647", "2147483648", "4294967295", "4294967296", "3.4e38",
    "3.5e38", "5e-324", "\u0661\u0662", "1e5", "2001-01-01", "2001-13-41",
    "2001-01-01 00:00:00 +99:99", "9999-12-31 23:59:59.9 -23:59", "mse", "bce", "bce_with_logits",
    "MSE", "hinge", "uniform", "q_uniform", "int_uniform", "log_uniform_values",
    "q_log_uniform_values", "categorical", "constant", "''", '""', "'0.1'", '"\\e[31m"', '"\\0"',
    '"\\ud800"', '"\\U0010ffff"', '"\\u202e"', "<script>", "=", "<<", "!", "!!str 1", "!!int abc",
    "!!int ''", "!!int '1:59'", "!!float x", "!!float ''", "!!bool x", "!!null x", "!!binary x",
    "!!binary '=='", "!!timestamp x", "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object:os.system {}", "!!python/name:os.system ''", "!!python/module:os ''",
    "!!python/tuple [1]", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!x 1", "!<tag:x> 1",
    "*a", "&a 1", "&a [*a]", "|\n    text", ">\n    text", "[1, 2]", "[[1], 2]", "{a: 1}", "{}",
    "[]", "x" * 3000, "? a", "- 1", "%TAG", "@", "`", "---", "...", "#", "\t1", "\x07", "\x85",
    "\u2028",
)  # fmt: skip
KEYS = (
    "value", "values", "min", "max", "q", "distribution", "mu", "sigma", "'min'", '"\\e[2J"', "<<",
    "? [a]", "1", "~", "yes", "!!str value", "&k value", "*a", "x" * 500, "\uff56alue",
)  # fmt: skip
NAMES = (
    "lr", "epochs", "seed", "loss_fn", "LR", "epoch", "learning_rate", "<<", "'lr'", "? lr", "*a",
    '"\\e]0;x\\a"', "&a lr", "!!str lr", "1.5", "~", "x" * 500,
)  # fmt: skip
TOPS = (
    "method: grid", "metric: {name: x}", "name: &a 1", "base: &a {value: 1}", "<<: *a",
    "program: x", "parameter: {}", "parameters: {}", "parameters:", "--- ", "...", "%YAML 1.1\n---",
    "- 1", "x", "command: [a, b]", "? [a]\n: b", "# comment", '"\\e": 1', "run_cap: " + "9" * 5000,
)  # fmt: skip


def mostly(usual: list[str], all_of_them: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(all_of_them))


VALUES = mostly(["1", "0.5", "10", "mse"], SCALARS)
LISTS = st.lists(VALUES, max_size=4).map(lambda items: f"[{', '.join(items)}]")
PAIRS = st.tuples(mostly(["value", "min", "max", "values"], KEYS), VALUES | LISTS)
ENTRIES = st.one_of(
    st.lists(PAIRS, max_size=4).map(lambda ps: f"{{{', '.join(f'{k}: {v}' for k, v in ps)}}}"),
    st.lists(PAIRS, max_size=4).map(lambda ps: "".join(f"\n    {k}: {v}" for k, v in ps)),
    VALUES,
)
PARAMETERS = st.lists(
    st.tuples(mostly(["lr", "epochs", "seed", "loss_fn"], NAMES), ENTRIES), max_size=5
)


@st.composite
def documents(draw) -> bytes:
    """A file built around the grammar, with something odd in it more often than not."""
    lines = draw(st.lists(st.sampled_from(TOPS), max_size=2))
    lines.append("parameters:")
    lines += [f"  {name}: {entry}" for name, entry in draw(PARAMETERS)]
    lines += draw(st.lists(st.sampled_from(TOPS), max_size=1))
    text = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])).join(lines) + "\n"
    codec = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "cp500"]))
    return text.encode(codec, "replace")


SHIPPED = [path.read_bytes() for path in shipped_spaces().values()]
INSERTED = st.sampled_from(
    [b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\x85", b"\r", b"\t", b"{", b"[" * 2000,
     b"{" * 2000, b"- " * 500, b"? " * 500, b"&a ", b"*a", b"<<: ", b"!!int ", b"'", b'"', b": ",
     b", ", b"\n", b"#", b"9" * 400, b"e", b"-", b"|", b">", b"%", b"\n---\n", b"x" * 2000]
) | st.binary(min_size=1, max_size=4)  # fmt: skip


@st.composite
def mutations(draw) -> bytes:
    """A shipped file in which some bytes were changed, dropped, doubled or inserted."""
    content = draw(st.sampled_from(SHIPPED))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 20))
        kind = draw(st.sampled_from(["insert", "insert", "drop", "double", "flip"]))
        head, part, tail = content[:at], content[at : at + length], content[at + length :]
        if kind == "insert":
            content = head + draw(INSERTED) + part + tail
        elif kind == "drop":
            content = head + tail
        elif kind == "double":
            content = head + part + part + tail
        else:
            content = head + bytes(b ^ (1 << draw(st.integers(0, 7))) for b in part) + tail
    return content


def check(content: bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / f"fuzzed-{os.getpid()}.yaml"
    file.write_bytes(content)
    try:
        space = load_xor(file)
    except UsageError as error:
        complaint = str(error)
    else:
        complaint = str(file)
        assert inside(space)
        recorded = StudySettings(space.spec, space.parameters).to_dict()
        again = load_xor(json.loads(json.dumps(recorded["space"])))
        assert repr(again.domains) == repr(space.domains)
    assert str(file) in complaint
    capsys.readouterr()
    # No trials: what is wrong with the file is said, or what is wrong with that.
    assert main(["search", str(file), "--runner=inline", "--trials=0", f"--results={folder}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("xortune: ")
    assert all(line.isprintable() for line in err.split("\n"))
    assert max(map(len, err.split("\n"))) < _LONGEST_LINE + len(str(file))
    assert not Path("pwned").exists()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def fuzz(contents: st.SearchStrategy[bytes], cases: int, folder: Path, capsys) -> None:
    @settings(max_examples=cases, deadline=None)
    @given(contents)
    def every(content: bytes) -> None:
        check(content, folder, capsys)

    every()


@pytest.mark.parametrize("contents", [documents(), mutations()], ids=["built", "mutated"])
def test_a_file_is_a_space_or_bad_input(folder, capsys, contents) -> None:
    fuzz(contents, QUICK, folder, capsys)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("contents", [documents(), mutations()], ids=["built", "mutated"])
def test_a_file_is_a_space_or_bad_input_long(folder, capsys, contents) -> None:
    fuzz(contents, LONG, folder, capsys)


# As large as a file may be.
MOST = 100_000
LARGE = {
    "one word": b"x" * (MOST - 1),
    "one quoted word": b"'" + b"x " * (MOST // 2 - 2) + b"'",
    "many words": b"x " * (MOST // 2 - 1),
    "one key": b"parameters: {" + b"x" * (MOST - 30) + b": 1}",
    "explicit key": b"parameters:\n  ? " + b"x" * (MOST - 40) + b"\n  : 1",
    "key of a parameter": b"parameters: {lr: {" + b"x" * (MOST - 40) + b": 1}}",
    "loss function": b"parameters: {loss_fn: {value: " + b"x" * (MOST - 40) + b"}}",
    "digits": b"parameters: {lr: {value: " + b"9" * (MOST - 40) + b"}}",
    "hexadecimal": b"parameters: {lr: {value: 0x" + b"f" * (MOST - 40) + b"}}",
    "sexagesimal": b"parameters: {lr: {value: 1" + b":59" * (MOST // 3 - 20) + b"}}",
    "sexagesimal fraction": b"parameters: {lr: {value: 1" + b":59" * (MOST // 3 - 20) + b".5}}",
    "values": b"parameters: {lr: {values: [" + b"1," * (MOST // 2 - 40) + b"1]}}",
    "different values": b"parameters: {lr: {values: [%s]}}"
    % b",".join(b"%d" % i for i in range(1, 14_000)),
    "keys": b"".join(b"k%d: 1\n" % i for i in range(8000)),
    "lines": b"\n" * (MOST - 1),
    "comments": b"#\n" * (MOST // 2 - 1),
    "lists": b"- " * (MOST // 2 - 1),
    "open lists": b"[" * (MOST - 1),
    "open mappings": b"{a: " * (MOST // 4 - 1),
    "documents": b"---\n" * (MOST // 4 - 1),
    "anchors": b"".join(b"- &a%d 1\n" % i for i in range(7000)),
    "aliases": b"a: &a 1\nb: [" + b"*a," * (MOST // 3 - 20) + b"*a]",
    "tags": b"- !!int 1\n" * (MOST // 10 - 1),
    "spaces": b"a:" + b" " * (MOST - 10) + b"1",
    "tabs": b"a:\t" * (MOST // 3 - 1),
    "NULs": b"\0" * (MOST - 1),
    "literal": b"a: |\n" + b" x\n" * (MOST // 3 - 5),
    "escapes": b'a: "' + b"\\n" * (MOST // 2 - 5) + b'"',
}  # fmt: skip

SOME = ("anchors", "tags", "different values")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name",
    [name if name in SOME else pytest.param(name, marks=pytest.mark.long) for name in LARGE],
)
def test_a_large_file_is_answered_soon(folder, capsys, name) -> None:
    check(LARGE[name][: MOST - 1], folder, capsys)
