"""Search-space files: shipped ones, those of W&B, and everything that may be wrong with one."""

import contextlib
import os
import re
import subprocess
import sys

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bad_spaces import BAD_SPACES
from tests.make import make_params
from tests.space.spaces import PROBLEMS, load_xor
from xortune.errors import SpaceError, UsageError
from xortune.paths import shipped_spaces
from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import table_spec
from xortune.problems.xor.spec import SPEC
from xortune.space import (
    Choice,
    Range,
    SearchSpace,
    count_points,
    load_space,
    point_at,
)
from xortune.space.parse import parse_space
from xortune.space.yaml_text import parse_yaml
from xortune.spec import ProblemSpec
from xortune.wording import for_the_shell

WANDB = """\
# https://docs.wandb.ai/guides/sweeps
apiVersion: v1
kind: sweep
program: train.py
job: us/xor/job:latest
image_uri: us/xor
scheduler: {engine: wandb}
launch: {queue: ours}
controller: {type: local}
x-template: &template {min: 1}
method: bayes
name: a sweep
description: of four parameters
project: xor
entity: us
metric:
  name: final_loss
  goal: minimize
metrics: [{name: a}, {name: b}]
early_terminate: {type: hyperband, min_iter: 3}
run_cap: 100
command: [python, "${program}"]
parameters:
  lr:
    distribution: log_uniform_values
    min: 1e-3
    max: 10
  epochs:
    min: 500
    max: 10_000
  seed:
    values: [1, 2, 3]
  loss_fn:
    value: bce
"""


@pytest.fixture
def file(tmp_path):
    """A search-space file that does not exist yet."""
    return tmp_path / "file.yaml"


def test_a_sweep_file_of_wandb_loads_unchanged(file) -> None:
    file.write_text(WANDB)
    space = load_xor(file)
    assert repr(dict(space.domains)) == repr(
        {
            "lr": Range(0.001, 10.0, log=True),
            "epochs": Range(500, 10_000),
            "seed": Choice((1, 2, 3)),
            "loss_fn": Choice(("bce",)),
        }
    )
    assert space.name == "file"


def test_ignored_keys_are_named(file) -> None:
    file.write_text(WANDB)
    (note,) = load_xor(file).notes
    for key in yaml.safe_load(WANDB):
        assert (key in note) == (key not in ("parameters", "x-template"))


def test_ignored_keys_name_the_settings_that_do_the_same(file) -> None:
    file.write_text(WANDB)
    with for_the_shell():
        (note,) = load_xor(file).notes
    remedies = {
        "method": "--sampler",
        "metric": "--objective NAME:max",
        "early_terminate": "--pruner hyperband",
        "run_cap": "--trials N",
    }
    found = [f"{setting} for {key}" for key, setting in remedies.items()]
    assert [words for words in found if words not in note] == []


def test_ignored_keys_that_decide_nothing_have_no_remedy(file) -> None:
    file.write_text("project: mine\nparameters:\n  lr: {value: 1}\n")
    assert "keys of the sweep file that xortune ignores: project." in load_xor(file).notes


@pytest.mark.parametrize("name", ["default", "lab", "smoke", "your_turn"])
def test_a_shipped_space_loads_by_name_and_by_path(name) -> None:
    space = load_xor(name)
    assert space.name == name
    assert space.notes == ()
    assert load_xor(shipped_spaces()[name]) == space


def test_each_shipped_file_says_the_command_that_runs_it() -> None:
    assert set(shipped_spaces()) == {"default", "lab", "smoke", "table", "your_turn"}
    for name, path in shipped_spaces().items():
        comment = [line for line in path.read_text().splitlines() if line.startswith("#")]
        assert any(f"python -m xortune search {name}" in line for line in comment)


@pytest.mark.parametrize("task", TASKS)
def test_the_space_of_tables_is_one_for_every_task(task) -> None:
    space = load_space("table", table_spec(task, "wine.csv"))
    assert count_points(space) is None
    assert all("loss_fn" in note for note in space.notes)
    assert len(space.domains["batch_size"].values) == 2


def test_the_lab_space_holds_the_labs_two_runs() -> None:
    lab = load_xor("lab")
    points = [point_at(lab, index) for index in range(count_points(lab))]
    assert len(points) == 4
    assert {make_params(lr=0.01, epochs=100_000), make_params(lr=0.1, epochs=10_000)} <= set(points)


@pytest.mark.parametrize("name", ["lab", "your_turn"])
def test_the_command_of_a_finite_space_trains_every_point(name) -> None:
    path = shipped_spaces()[name]
    first = re.search(rf"search {name} --data lab --trials (\d+)", path.read_text())
    assert int(first[1]) == count_points(load_xor(name))


def test_your_turn_has_every_loss_function_and_rates_near_the_labs() -> None:
    domains = load_xor("your_turn").domains
    assert {0.01, 0.1} < set(domains["lr"].values)
    assert {10_000, 100_000} < set(domains["epochs"].values)
    assert domains["seed"] == Choice((42,))
    assert set(domains["loss_fn"].values) == {"mse", "bce", "bce_with_logits"}


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "1.0e-3", "0.001", "+1e-3"])
def test_numbers_as_people_write_them(file, text) -> None:
    file.write_text(f"parameters:\n  lr: {{value: {text}}}\n")
    assert load_xor(file).domains["lr"] == Choice((0.001,))


@pytest.mark.parametrize(
    ("text", "number"), [("1_000", 1000), ("10_000", 10_000), ("+7", 7), ("7.0", 7), ("1e2", 100)]
)
def test_whole_numbers_as_people_write_them(file, text, number) -> None:
    file.write_text(f"parameters:\n  epochs: {{value: {text}}}\n")
    assert load_xor(file).domains["epochs"] == Choice((number,))


def test_only_what_is_read_is_checked_for_traps(file) -> None:
    file.write_text("run_cap: 0100\nname: on\nx-a: {at: 3:20}\nparameters:\n  lr: {value: 1}\n")
    assert load_xor(file).domains["lr"] == Choice((1.0,))


MERGED = """
x-slow: &slow {min: 500, max: 900, distribution: int_uniform}
x-grid: &grid {q: 100, max: 700, distribution: q_uniform}
parameters:
"""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{<<: *slow}", Range(500, 900)),
        ("{<<: *slow, max: 800}", Range(500, 800)),
        ("{max: 800, <<: *slow}", Range(500, 800)),
        ("{<<: [*slow, *grid], distribution: q_uniform}", Range(500, 900, step=100)),
        ("{<<: [*grid, *slow]}", Range(500, 700, step=100)),
        ("{<<: {<<: *grid, min: 300}}", Range(300, 700, step=100)),
        ("{<<: []   , value: 5}", Choice((5,))),
    ],
)
def test_merge_keys(file, entry, expected) -> None:
    """What the mapping itself says comes first, then the earlier of two that are merged."""
    text = f"{MERGED}  epochs: {entry}\n"
    file.write_text(text)
    space = load_xor(file)
    assert space.domains["epochs"] == expected
    assert space.parameters["epochs"] == yaml.safe_load(text)["parameters"]["epochs"]


def test_merging_whole_parameters(file) -> None:
    file.write_text("x-a: &a {lr: {value: 2}, seed: {value: 3}}\nparameters: {<<: *a}\n")
    assert load_xor(file).domains["seed"] == Choice((3,))


def test_a_quoted_merge_key_is_an_unknown_key(file) -> None:
    file.write_text("parameters:\n  lr: {'<<': {value: 1}}\n")
    with pytest.raises(SpaceError, match="unknown key '<<'"):
        load_xor(file)


def test_a_fault_in_what_is_merged_names_the_line_it_stands_in(file) -> None:
    file.write_text("x-a: &a\n  value: -1\nparameters:\n  lr: {<<: *a}\n")
    with pytest.raises(SpaceError, match=r"parameters\.lr\.value \(line 2\)"):
        load_xor(file)


def test_what_is_overridden_is_not_a_fault(file) -> None:
    file.write_text("x-a: &a {value: 0100}\nparameters:\n  epochs: {<<: *a, value: 5}\n")
    assert load_xor(file).domains["epochs"] == Choice((5,))


def test_a_byte_order_mark_and_windows_line_ends(file) -> None:
    file.write_bytes(b"\xef\xbb\xbfparameters:\r\n  lr: {value: 2.0}\r\n")
    assert load_xor(file).domains["lr"] == Choice((2.0,))


def test_an_alias_is_what_it_stands_for(file) -> None:
    file.write_text("parameters:\n  seed: &one {value: 1}\n  epochs: *one\n")
    domains = load_xor(file).domains
    assert domains["seed"] == domains["epochs"] == Choice((1,))


@pytest.mark.parametrize("fault", BAD_SPACES)
def test_a_fault_is_named_with_place_value_and_remedy(file, fault) -> None:
    text, fragments = BAD_SPACES[fault]
    file.write_text(text)
    with pytest.raises(SpaceError) as caught:
        load_xor(file)
    message = str(caught.value)
    assert message.startswith(f"search space {file}")
    assert [fragment for fragment in fragments if fragment not in message] == []
    assert "Node(" not in message


def test_several_faults_are_named_at_once_each_with_its_line(file) -> None:
    file.write_text(
        "method: grid\n"
        "parameters:\n"
        "  lr: {values: [0.1, -1]}\n"
        "  epochs:\n"
        "    min: 0\n"
        "    max: 10\n"
        "  sed: {value: 3}\n"
        "  loss_fn: {value: hinge}\n"
    )
    with pytest.raises(SpaceError) as caught:
        load_xor(file)
    assert [fault.split(": ")[0] for fault in caught.value.faults] == [
        "parameters.sed (line 7)",
        "parameters.lr.values (line 3)",
        "parameters.epochs.min (line 5)",
        "parameters.loss_fn.value (line 8)",
    ]


def test_several_faults_of_the_yaml_are_named_at_once(file) -> None:
    file.write_text(
        "parameters:\n  lr: {value: 1}\n  lr: {value: 2}\n  seed: !!python/name:os.getcwd ''\n"
    )
    with pytest.raises(SpaceError) as caught:
        load_xor(file)
    assert ["line 3" in fault or "line 4" in fault for fault in caught.value.faults] == [True, True]


def test_a_python_tag_runs_nothing(file, tmp_path) -> None:
    made = tmp_path / "made"
    file.write_text(f"parameters:\n  lr: {{value: !!python/object/apply:os.mkdir ['{made}']}}\n")
    with pytest.raises(SpaceError):
        load_xor(file)
    assert not made.exists()


@pytest.mark.parametrize("content", [bytes(range(256)), b"\x7fELF\x02\x01\x01\0", b"\xff\xfea\0"])
def test_a_binary_file(file, content) -> None:
    file.write_bytes(content)
    with pytest.raises(SpaceError, match=f"^search space {file}: "):
        load_xor(file)


def test_text_in_another_encoding(file) -> None:
    file.write_text("# é\nparameters:\n  lr: {value: 1}\n", encoding="latin-1")
    with pytest.raises(SpaceError, match="byte 2 is not UTF-8 text; save the file as UTF-8"):
        load_xor(file)


def test_a_file_far_too_large(file) -> None:
    file.write_text("# large\n" * 200_000)
    with pytest.raises(SpaceError, match="larger than 100 kB"):
        load_xor(file)


def test_a_folder(tmp_path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}: cannot be read: Is a directory"):
        load_xor(tmp_path)


def test_a_pipe(file) -> None:
    os.mkfifo(file)
    with pytest.raises(UsageError, match=f"{file}: cannot be read: it is not a regular file"):
        load_xor(file)


def test_a_folder_in_the_way_of_a_shipped_name(tmp_path, monkeypatch) -> None:
    (tmp_path / "lab").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_xor("lab").name == "lab"


def test_a_missing_file_names_what_there_is(tmp_path) -> None:
    missing = tmp_path / "none.yaml"
    with pytest.raises(UsageError) as caught:
        load_xor(missing)
    assert f"no search space {str(missing)!r}" in str(caught.value)
    assert "Shipped: default, lab, smoke, table, your_turn." in str(caught.value)


def test_a_misspelt_name_names_the_likely_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        load_xor("smoek")


def test_a_link_to_itself(file) -> None:
    file.symlink_to(file)
    with pytest.raises(UsageError, match="no search space"):
        load_xor(file)


@pytest.mark.parametrize("name", ["n" * 5000, "a\0b", "", "file.yaml/deeper"])
def test_a_name_that_no_file_can_have(name, tmp_path, monkeypatch) -> None:
    (tmp_path / "file.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="search space"):
        load_xor(name)


READ = """
import sys
from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import table_spec
from xortune.problems.xor.spec import SPEC
from xortune.space import load_space
load_space(sys.argv[1], SPEC)
"""


def test_an_unreadable_file(file, unprivileged) -> None:
    file.write_text("parameters:\n  lr: {value: 1}\n")
    file.chmod(0)
    command = [*unprivileged, sys.executable, "-c", READ, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert (
        last
        == f"xortune.errors.UsageError: search space {file}: cannot be read: Permission denied."
    )


def test_a_file_in_an_unreadable_folder(tmp_path, unprivileged) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    command = [*unprivileged, sys.executable, "-c", READ, str(folder / "file.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    folder.chmod(0o755)
    assert done.stderr.splitlines()[-1].startswith("xortune.errors.UsageError: ")


def parsed(text: str, spec: ProblemSpec = SPEC) -> SearchSpace:
    return parse_space(spec, "text", "text", parse_yaml(text, "text"))


@settings(deadline=None)
@given(PROBLEMS, st.booleans())
def test_every_valid_block_survives_yaml(problem, flow) -> None:
    spec, block = problem
    text = yaml.safe_dump({"parameters": block}, default_flow_style=flow)
    assert repr(parsed(text, spec).domains) == repr(load_space(block, spec).domains)


WORDS = """
parameters: lr: epochs: seed: loss_fn: value: values: min: max: q: distribution: uniform q_uniform
mse 0 1 -1 0.5 1e-3 1e400 .nan .inf ~ = << ? - : , { } [ ] | > % @ ` ' " '' "" # --- ... yes
&a *a &b *b ! !! !x !!int !!float !!bool !!null !!str !!binary !!timestamp !!set !!omap !!seq !!map
!!python/name:os 2001-13-41 1:30 0x 0b 0o7 010 _ 1_0 {value:1}
"""
SPACES = ("\n", "\n", "\n  ", "\n  ", "\n    ", " ", "\t", "\x07", "9" * 400)
PIECES = st.lists(st.sampled_from(WORDS.split()) | st.sampled_from(SPACES), max_size=25)


@settings(max_examples=200, deadline=None)
@given(st.text() | PIECES.map("".join) | PIECES.map(" ".join))
@example("parameters:\n  lr: {value: !!int ''}")
@example("? [a, b]\n: 1")
@example("{" * 1000)
def test_whatever_the_text_it_is_a_space_or_bad_input(text) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parsed(text), SearchSpace)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_the_bytes_it_is_a_space_or_bad_input(tmp_path_factory, content) -> None:
    file = tmp_path_factory.getbasetemp() / f"bytes-{os.getpid()}.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=str(file)):
        load_xor(file)
