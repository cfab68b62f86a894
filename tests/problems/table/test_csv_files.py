"""CSV files: separators, marks in numbers, headers, and what is wrong with a file."""

import bz2
import gzip
import math
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.problems.table.tables import lines, refused, written
from xortune.errors import UsageError
from xortune.problems.table.cells import read_cells
from xortune.problems.table.csv_files import SEPARATORS, read_csv
from xortune.problems.table.table import load_table


def numbers_of(path, *names):
    frame, _ = read_csv(path)
    return [read_cells(frame[name]).values.tolist() for name in names]


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_separator_and_line_end_gives_the_same_table(tmp_path, separator, end):
    text = lines("a,b,y", lambda i: f"{i % 5}.5,{'red' if i % 2 else 'dark blue'},{i}")
    other = text.replace(",", separator).replace("\n", end)
    one = load_table(written(tmp_path, text), "y")
    assert load_table(written(tmp_path, other, "other.csv"), "y").digest == one.digest


def test_a_separator_inside_quoted_text_is_not_taken_for_the_separator(tmp_path):
    text = lines('"price, EUR";"size, m2";y', lambda i: f'{i % 7}.5;"a, b, {i % 2}";{i}')
    frame, _ = read_csv(written(tmp_path, text))
    assert list(frame.columns) == ["price, EUR", "size, m2", "y"]


def test_line_breaks_inside_quoted_text_belong_to_the_text(tmp_path):
    text = "one\ntwo\n" * 50
    frame, _ = read_csv(written(tmp_path, lines("a,b", lambda i: f'{i},"{text}"', 20_000)))
    assert len(frame) == 20_000
    assert set(frame["b"]) == {text}


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path):
    text = "﻿" + lines("a,b", lambda i: f"{i},{i}")
    assert list(read_csv(written(tmp_path, text))[0].columns) == ["a", "b"]


def test_spaces_around_names_and_numbers_do_not_count(tmp_path):
    path = written(tmp_path, "a , b\n 1 , 2.5\n3, n/a\n")
    frame, _ = read_csv(path)
    assert list(frame.columns) == ["a", "b"]
    assert numbers_of(path, "a") == [[1.0, 3.0]]


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, "gz"), (bz2.compress, "bz2")])
def test_packed_files_are_unpacked(tmp_path, pack, suffix):
    text = lines("a,y", lambda i: f"{i % 5},{i}")
    packed = written(tmp_path, pack(text.encode()), f"wine.csv.{suffix}")
    one = load_table(written(tmp_path, text), "y")
    assert load_table(packed, "y").digest == one.digest


def test_decimal_commas(tmp_path):
    path = written(tmp_path, "a;price;y\n1,5;1.234,50;-,5\n2;987,00;1e3\n;n/a;-7,25e-1\n")
    a, price, y = numbers_of(path, "a", "price", "y")
    assert a[:2] == [1.5, 2.0]
    assert math.isnan(a[2])
    assert price[:2] == [1234.5, 987.0]
    assert y == [-0.5, 1000.0, -0.725]
    assert read_csv(path)[1] == {"a decimal comma": ["a", "price", "y"], "commas at thousands": []}


def test_words_among_numbers_with_commas_stay(tmp_path):
    path = written(tmp_path, "a;b\n1,5;x\nn.a.;y\n;z\n2;x\n")
    cells = read_cells(read_csv(path)[0]["a"])
    assert cells.as_missing == {"n.a.": 1}
    assert cells.values[[0, 3]].tolist() == [1.5, 2]


def test_commas_at_thousands(tmp_path):
    path = written(tmp_path, 'a,price\n1.5,"1,234.50"\n2,"1,234,567"\n3,12\n')
    assert numbers_of(path, "a", "price") == [[1.5, 2, 3], [1234.5, 1234567, 12]]
    assert read_csv(path)[1] == {"a decimal comma": [], "commas at thousands": ["price"]}


def test_a_comma_that_may_be_either_mark_is_decimal_between_semicolons_only(tmp_path):
    semicolons = written(tmp_path, "a;b\n1,234;x\n5,678;y\n")
    assert numbers_of(semicolons, "a") == [[1.234, 5.678]]
    tabs = written(tmp_path, "a\tb\n1,234\tx\n5,678\ty\n", "tabs.tsv")
    assert numbers_of(tabs, "a") == [[1234, 5678]]


def test_commas_in_text_stay(tmp_path):
    frame, marks = read_csv(written(tmp_path, 'a,b\n"1,5 kg",1\n"Ulm, 3",2\n'))
    assert list(frame["a"]) == ["1,5 kg", "Ulm, 3"]
    assert not any(marks.values())


def test_points_beside_decimal_commas_are_refused(tmp_path):
    path = written(tmp_path, lines("a;people;y", lambda i: f"{i},5;{i}.100;{i}"))
    message = refused(path)
    assert "a decimal comma in column 'a', and a point in column 'people'" in message


def test_columns_that_are_known_to_be_text_keep_their_zeros(tmp_path):
    path = written(tmp_path, "a,b\n01,1\n02,2\n")
    assert list(read_csv(path, {"a"})[0]["a"]) == ["01", "02"]


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**53), 2**53),
            st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
        ),
        min_size=2,
        max_size=20,
    ),
    st.sampled_from(SEPARATORS),
)
def test_what_pandas_writes_is_read_to_the_bit(tmp_path_factory, rows, separator):
    frame = pd.DataFrame(rows, columns=["float", "int", "text"])
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    frame.to_csv(path, index=False, sep=separator)
    read, _ = read_csv(path, {"text"})
    for name in ("float", "int"):
        assert np.array_equal(read_cells(read[name]).values, frame[name].astype(float))
    assert list(read["text"].fillna("")) == list(frame["text"])


@pytest.mark.parametrize("content", ["", "\n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path, content):
    assert refused(written(tmp_path, content)) == "wine.csv is empty."


def test_a_header_alone(tmp_path):
    assert refused(written(tmp_path, "a,b,y\n")) == "wine.csv has no rows."


def test_a_missing_header(tmp_path):
    message = refused(written(tmp_path, lines("7.4,0.7,0,5,6", lambda i: f"{i},1,2,3,4")))
    assert message.startswith(
        "wine.csv has no header: its first line is 7.4, 0.7, 0, 5 and 1 more."
    )
    assert "Put a line with the names" in message


def test_names_that_stand_twice(tmp_path):
    message = refused(written(tmp_path, lines("a, a,b,b,y", lambda i: f"{i},1,2,3,4")))
    assert message == (
        "wine.csv: more than one column is called 'a', 'b'. Give every column a name of its own."
    )


@pytest.mark.parametrize(("cells", "count"), [("1,2,3,4", 4), ("1,2", 2)])
def test_a_row_of_another_length_is_named_by_its_line(tmp_path, cells, count):
    path = written(tmp_path, lines("a,b,y", lambda i: cells if i == 7 else '1,"x\ny",3'))
    assert f"wine.csv: line 16 has {count} cells, but the header has 3." in refused(path)


def test_a_row_of_another_length_far_behind_the_sample(tmp_path):
    wide = "abc" * 100
    path = written(
        tmp_path, lines("a,b,y", lambda i: "1,2,3,4" if i == 19_990 else f"1.25,{wide},3", 20_000)
    )
    assert path.stat().st_size > 2**22
    assert "wine.csv: line 19,992 has 4 cells" in refused(path)


def test_a_cell_of_many_megabytes_is_named_by_its_line(tmp_path):
    path = written(tmp_path, lines("a,b,y", lambda i: f"1,{'x' * 20_000_000 * (i == 3)},{i}"))
    assert refused(path).startswith("wine.csv: line 5: field larger than field limit")


def test_a_header_of_very_many_columns(tmp_path):
    names = [f"gene number {i}" for i in range(20_000)]
    frame, _ = read_csv(written(tmp_path, f"{','.join(names)}\n" + "1.5," * 19_999 + "2\n"))
    assert list(frame.columns) == names


def test_a_faulty_cell_is_named_by_its_line(tmp_path):
    row = {17: '"x\ny",1O,3', 4: "\nx,5,6"}
    text = lines("a,b,y", lambda i: row.get(i, f"x,{i},{i * i}"), 40)
    for end in ("\n", "\r\n"):
        path = written(tmp_path, text.replace("\n", end))
        assert "column 'b': '1O' in line 21 is not a number" in refused(path)
    packed = written(tmp_path, gzip.compress(text.encode()), "wine.csv.gz")
    assert "'1O' in line 21 is" in refused(packed)
    assert "'1O' in row 18 is" in refused(pd.read_csv(path))


def test_a_missing_target_is_named_by_its_line(tmp_path):
    path = written(tmp_path, lines("a;y", lambda i: f"{i};{'' if i == 9 else i * i}"))
    assert "has no finite value in 1 of 20 rows, first in line 11." in refused(path)


@pytest.mark.parametrize("rows", [20, 20_000])
def test_another_encoding_is_named_with_its_line_and_a_command(tmp_path, rows):
    wide = "abc" * 100
    text = lines("a,b,y", lambda i: "1,é,3" if i == rows - 2 else f"1.25,{wide},3", rows)
    message = refused(written(tmp_path, text.encode("latin-1")))
    assert f"wine.csv is not encoded in UTF-8: line {rows:,} has the byte 0xe9." in message
    assert message.endswith("iconv -f ISO-8859-1 -t UTF-8 wine.csv > wine-utf8.csv")


def test_utf16_is_named(tmp_path):
    text = lines("a,b,y", lambda i: f"{i},x,3")
    message = refused(written(tmp_path, text.encode("utf-16")))
    assert "it is UTF-16" in message
    assert "iconv -f UTF-16 -t UTF-8" in message


def test_a_file_that_is_no_text(tmp_path):
    assert "has null bytes" in refused(written(tmp_path, b"a,b\n\0\1\2,3\n"))


@pytest.mark.parametrize("content", [b"abc", b"\x1f\x8b\x08\0\0\0\0\0\0\3damaged"])
def test_a_damaged_archive(tmp_path, content):
    message = refused(written(tmp_path, content, "wine.csv.gz"))
    assert message.startswith("wine.csv.gz cannot be read as CSV: ")


@given(st.text('ay1.5,;"\n\r\t| -?é\0').map(str.encode) | st.binary())
def test_any_bytes_are_a_table_or_a_message(tmp_path_factory, content):
    path = written(tmp_path_factory.mktemp("csv"), b"a,y\n" + content)
    with suppress(UsageError):
        assert load_table(path, "y").recipe.inputs
