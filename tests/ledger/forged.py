"""Values that no ledger of this version holds, for a study of XOR; the digests can be right."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tests.faults.driver.forgery import forge
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

BOMB = "[" * 100_000 + "]" * 100_000
DEEP = "[" * 500 + "]" * 500
NINE = struct.pack("<9f", *range(9))


def assigned(**changed: str) -> str:
    """The parameters of a trial, with other JSON for some of them."""
    usual = {"lr": "0.5", "epochs": "9", "seed": "7", "loss_fn": '"mse"'}
    return json_object({**usual, **changed})


def measured(**changed: str) -> str:
    usual = dict.fromkeys(("train_loss", "mse", "bce", "accuracy"), "0.5")
    return json_object({**usual, **changed})


def json_object(values: dict[str, str]) -> str:
    return f"{{{','.join(f'{json.dumps(name)}:{value}' for name, value in values.items())}}}"


def alter(folder: Path, column: str, value: object) -> None:
    complete = "(SELECT min(number) FROM trial WHERE state = 'COMPLETE')"
    forge(folder, (f"UPDATE trial SET {column} = ? WHERE number = {complete}", [value]))


def alter_spec(folder: Path, part: str, value: object) -> None:
    with Ledger.read(StudyPaths(folder)) as ledger:
        spec = {**ledger.settings().spec.to_dict(), part: value}
    forge(folder, ("UPDATE setting SET value = ? WHERE key = 'spec'", [json.dumps(spec)]))


# Column and value of a trial.
VALUES = [
    ("parameters", assigned(lr='"text"')),
    ("parameters", assigned(lr="1e999")),
    ("parameters", assigned(lr="Infinity")),
    ("parameters", assigned(lr="NaN")),
    ("parameters", assigned(lr="-1.0")),
    ("parameters", assigned(lr="0.0")),
    ("parameters", assigned(lr="1")),
    ("parameters", assigned(lr="[0.5]")),
    ("parameters", assigned(lr='{"lr":0.5}')),
    ("parameters", assigned(lr="true")),
    ("parameters", assigned(epochs="0")),
    ("parameters", assigned(epochs="1099511627776")),
    ("parameters", assigned(epochs="1" + "0" * 5000)),
    ("parameters", assigned(epochs="1.5")),
    ("parameters", assigned(epochs="null")),
    ("parameters", assigned(seed="-1")),
    ("parameters", assigned(seed="4294967296")),
    ("parameters", assigned(seed="true")),
    ("parameters", assigned(loss_fn='"mae"')),
    ("parameters", assigned(loss_fn='"\\u001b]0;mine\\u0007"')),
    ("parameters", assigned(loss_fn="0")),
    ("parameters", assigned(extra="1")),
    ("parameters", assigned() + ",\n" + assigned()),
    ("parameters", assigned() + "," + assigned()),
    ("parameters", assigned()[:-1] + ',"lr":0.5}'),
    ("parameters", '{"epochs":9,"lr":0.5,"seed":7,"loss_fn":"mse"}'),
    ("parameters", '{"lr":0.5}'),
    ("parameters", "{}"),
    ("parameters", "[]"),
    ("parameters", "null"),
    ("parameters", ""),
    ("parameters", "{"),
    ("parameters", BOMB),
    ("parameters", assigned(lr=DEEP)),
    ("parameters", b"{}"),
    ("parameters", assigned() + " " * 10_000_000),
    ("generation", -1),
    ("state", "X"),
    ("state", "RUNNING"),
    ("state", "WAITING"),
    ("state", "FAIL"),
    ("metrics", measured(mse="1e999")),
    ("metrics", measured(mse="null")),
    ("metrics", measured(mse="1")),
    ("metrics", measured(bce='"much"')),
    ("metrics", measured(more="0.5")),
    ("metrics", '{"mse":0.5}'),
    ("metrics", None),
    ("metrics", b"{}"),
    ("metrics", "[0.5,0.5,0.5,0.5]"),
    ("metrics", BOMB),
    ("duration_s", float("-inf")),
    ("duration_s", "long"),
    ("worker", b"\xff"),
    ("worker", "w" * 10_000_000),
    ("error", "e" * 10_000_000),
    ("curve", None),
    ("number", -1),
    ("number", 77),
]
# Table, column and value.
WEIGHTS = [
    ("weight", "content", NINE[:-4]),
    ("weight", "content", NINE[:-1]),
    ("weight", "content", NINE + NINE),
    ("weight", "content", NINE[:-4] + struct.pack("<f", float("nan"))),
    ("weight", "content", NINE[:-4] + struct.pack("<f", float("inf"))),
    ("weight", "content", "text"),
    ("weight", "layout", 1),
    ("weight", "layout", "text"),
    ("layout", "content", "{}"),
    ("layout", "content", "9"),
    ("layout", "content", "[9]"),
    ("layout", "content", '[["w",9]]'),
    ("layout", "content", '[["w",[9.0]]]'),
    ("layout", "content", '[["w",[true,9]]]'),
    ("layout", "content", '[["w",[-3,-3]]]'),
    ("layout", "content", "[[9,[9]]]"),
    ("layout", "content", '[["w",[10]]]'),
    ("layout", "content", BOMB),
    ("layout", "content", "[" + " " * 10_000_000 + "]"),
    ("layout", "content", b"[]"),
    ("layout", "number", 5),
]
# Part of a spec, and value.
SPECS = [
    ("problem", 5),
    ("parameters", []),
    ("parameters", [5]),
    ("metrics", []),
    ("loss", "other"),
    ("loss", ["mse"]),
    ("objectives", []),
    ("objectives", [{"metric": "mse", "direction": "sideways"}]),
    ("curve", [{"name": "\x1b[2J", "tag": "loss"}]),
    ("curve", None),
    ("cost", "loss_fn"),
    ("cost", {}),
    ("solved", {"metric": "mse", "value": 1, "more": 2}),
    ("solved", {"metric": "mse", "value": "low"}),
    ("compared", "other"),
    ("compared", "lr"),
]
