"""Undocumented parts of Ray are touched in one file."""

import ast
import re
from pathlib import Path

import pytest

import xortune

PACKAGE = Path(xortune.__file__).parent
INTERNALS = PACKAGE / "cluster" / "ray_internals.py"
# The modules that Ray's API reference describes, of those that are imported here.
DOCUMENTED = {
    "ray",
    "ray.exceptions",
    "ray.tune",
    "ray.tune.experiment",
    "ray.tune.search",
    "ray.util",
    "ray.util.scheduling_strategies",
}
WORDS = re.compile(
    r"\bray\.(_|air|dashboard|rpc|util\.rpdb)|\bRAY_([a-z]|JOB|AIR|ACCEL|USAGE)|\bTUNE_"
)
ATTRIBUTES = ("temporary_state", "pickled_error_file", "all_processes", "gcs_client")


def private(name):
    return name.startswith("_") and not name.startswith("__")


def defined_in(tree):
    """The names of the functions, classes and attributes that a module makes itself."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def imported(node):
    """The modules of Ray that a statement imports, and the private names."""
    if isinstance(node, ast.Import):
        modules, names = [alias.name for alias in node.names], []
    else:
        modules, names = [node.module or ""], [alias.name for alias in node.names]
    for module in modules:
        if module.partition(".")[0] == "ray":
            yield from [module] if module not in DOCUMENTED else filter(private, names)


def internals_in(source):
    """The undocumented parts of Ray that a module touches."""
    tree = ast.parse(source)
    own = set(defined_in(tree))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
        elif isinstance(node, ast.Attribute):
            if node.attr in ATTRIBUTES or (private(node.attr) and node.attr not in own):
                yield node.attr
        elif isinstance(node, ast.keyword) and private(node.arg or ""):
            yield node.arg
        elif isinstance(node, ast.Constant) and id(node) not in prose:
            yield from (found[0] for found in WORDS.finditer(str(node.value)))


def test_one_file_alone_touches_undocumented_parts_of_ray():
    files = sorted((PACKAGE / "cluster").rglob("*.py"))
    found = {file: set(internals_in(file.read_text())) for file in files}
    assert len(found.pop(INTERNALS)) > 20
    assert {file: parts for file, parts in found.items() if parts} == {}


def test_no_file_outside_the_cluster_room_names_ray_internals():
    files = [file for file in PACKAGE.rglob("*.py") if PACKAGE / "cluster" not in file.parents]
    assert len(files) > 50
    naming = [file for file in files if WORDS.search(file.read_text())]
    assert naming == []


@pytest.mark.parametrize(
    "source",
    [
        "import ray._private.worker",
        "from ray._private import worker",
        "from ray._raylet import Config",
        "from ray.tune.execution import tune_controller",
        "from ray.tune import _hidden",
        "ray.init(_temp_dir='/tmp')",
        "sys.modules.get('ray._private.worker')",
        "os.environ['RAY_gcs_rpc_server_reconnect_timeout_s'] = '600'",
        "client._do_request('GET', '/')",
        "actor = trial.temporary_state.ray_actor",
    ],
)
def test_the_scan_finds_every_kind_of_touch(source):
    assert list(internals_in(source))
