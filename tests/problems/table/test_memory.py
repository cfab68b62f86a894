"""A table that does not fit into memory is refused before it is read."""

import re

import pytest

from tests.problems.table.tables import lines, mixed_frame, refused, written
from xortune.errors import UsageError
from xortune.problems.table import memory
from xortune.problems.table.memory import available_memory, refuse_too_large
from xortune.problems.table.table import load_table


def test_this_machine_says_what_is_available():
    assert available_memory() > 2**20


def system(root, group=None, meminfo="MemTotal: 99 kB\nMemAvailable:   5000 kB\n"):
    """A folder with the files in which Linux says what is available."""
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(meminfo)
    for name, content in (group or {}).items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_the_least_of_the_system_and_the_control_group_is_available(tmp_path):
    group = {"memory.max": "3000000\n", "memory.current": "1000000\n"}
    assert available_memory(system(tmp_path, group)) == 2_000_000


def test_control_groups_of_version_1(tmp_path):
    group = {"memory/memory.limit_in_bytes": "3000000", "memory/memory.usage_in_bytes": "5000000"}
    assert available_memory(system(tmp_path, group)) == 0


@pytest.mark.parametrize("group", [{}, {"memory.max": "max\n", "memory.current": "1"}])
def test_without_a_limit_the_system_decides(tmp_path, group):
    assert available_memory(system(tmp_path, group)) == 5000 * 1024


def test_a_system_that_does_not_say(tmp_path, monkeypatch):
    assert available_memory(tmp_path) is None
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    refuse_too_large("wine.csv", 10**12, 10**6)


def test_the_message_names_the_size_and_what_is_available(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 12_000_000_000)
    with pytest.raises(UsageError) as raised:
        refuse_too_large("big.csv", 100_000_000, 20)
    assert str(raised.value) == (
        "big.csv is too large for memory: about 100,000,000 rows of 20 columns need 48.0 GB, and "
        "12.0 GB are available. Search over fewer rows or columns, or on a machine with more "
        "memory."
    )


@pytest.mark.parametrize("name", ["wine.csv", "wine.csv.gz", "wine.parquet"])
def test_files_are_measured_before_they_are_read(tmp_path, monkeypatch, name):
    frame = mixed_frame(3000)
    save = frame.to_parquet if name.endswith("parquet") else frame.to_csv
    save(tmp_path / name, index=False)
    monkeypatch.setattr(memory, "available_memory", lambda: 400_000)
    message = refused(tmp_path / name, "weight")
    estimate = int(re.search(r"about ([\d,]+) rows of 8", message)[1].replace(",", ""))
    assert 2900 < estimate < 3100


def test_a_table_that_fits_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000)
    path = written(tmp_path, lines("a,y", lambda i: f"{i % 5},{i}.5"))
    assert load_table(path, "y").recipe.rows == (12, 4, 4)


def test_inputs_that_are_too_many_are_refused(tmp_path, monkeypatch):
    text = lines("a,y", lambda i: f"w{i % 300:03},{i}.5", 20_000)
    path = written(tmp_path, text)
    monkeypatch.setattr(memory, "available_memory", lambda: 1_500_000)
    assert "about 20,000 rows of 31 columns need" in refused(path)


def test_folds_are_counted(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 900_000_000)
    refuse_too_large("big.csv", 1_000_000, 50, bytes_per_cell=4)
    with pytest.raises(UsageError) as raised:
        refuse_too_large("big.csv", 1_000_000, 50, bytes_per_cell=4, folds=5)
    assert str(raised.value) == (
        "big.csv is too large for memory: about 1,000,000 rows of 50 columns in 5 folds need "
        "1.0 GB, and 0.9 GB are available. Search over fewer rows, columns or folds, or on a "
        "machine with more memory."
    )


def test_a_table_that_does_not_fit_in_its_folds_is_refused(monkeypatch):
    frame = mixed_frame(3000)
    needed = 4 * 3000 * load_table(frame, "weight").recipe.inputs
    monkeypatch.setattr(memory, "available_memory", lambda: 3 * needed)
    assert len(load_table(frame, "weight", folds=3).folds) == 3
    assert "about 3,000 rows of 21 columns in 4 folds need" in refused(frame, "weight", folds=4)


def test_too_many_folds_are_refused_before_the_rows_are_cut(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000_000)
    assert "of 6 columns in 2,000 folds need" in refused(mixed_frame(3000), "weight", folds=2000)
