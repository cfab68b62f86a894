"""What the documents say of the house is so: its tree, links, files and versions."""

import re
from urllib.parse import urlsplit

import grimp
import pandas as pd
import pytest
import yaml

import xortune
from tests.documents.markdown import (
    CONTRIBUTING,
    GUIDES,
    README,
    ROOT,
    blocks,
    quoted,
    read,
    tracked,
)
from xortune.engines.function.engine import FunctionEngine
from xortune.engines.plain.names import PLAIN
from xortune.ledger.schema import VERSION
from xortune.settings import SAMPLER_VERSION

CHANGELOG = ".github/CHANGELOG.md"
ROOMS = {f"{path.parent.name}/" for path in (ROOT / "xortune").glob("*/__init__.py")}
(TREE,) = (block.text for block in blocks(README, "text") if block.text.startswith("xortune/"))


def test_the_tree_in_readme_is_the_tree_on_disk():
    inside = re.findall(r"^  ([\w.]+/?) {2,}\S", TREE, re.MULTILINE)
    outside = re.findall(r"^(\w+)/", TREE, re.MULTILINE)
    files = {path.name for path in (ROOT / "xortune").glob("*.py") if path.name[0] != "_"}
    assert sorted(inside) == sorted(files | ROOMS)
    tops = {name.split("/")[0] for name in tracked() if "/" in name and name[0] != "."}
    assert sorted(outside) == sorted(tops)


def test_the_tree_in_readme_has_every_room_above_those_it_imports():
    order = re.findall(r"^  (\w+)(?:/|\.py) ", TREE, re.MULTILINE)
    graph = grimp.build_graph("xortune", exclude_type_checking_imports=True)
    for importer in order:
        for imported in order[: order.index(importer)]:
            names = (f"xortune.{importer}", f"xortune.{imported}")
            assert not graph.direct_import_exists(
                importer=names[0], imported=names[1], as_packages=True
            ), names


def test_the_walk_through_the_house_passes_every_room_once():
    walk = read(CONTRIBUTING).partition("passes every room once")[2].partition("Below the rooms")[0]
    steps = re.findall(r"^\d+\. `(\w+/)`", walk, re.MULTILINE)
    assert sorted(steps) == sorted(ROOMS)
    assert sorted(word for word in quoted(walk) if word.endswith("/")) == sorted(steps)


def anchors(path):
    """The places in a document that links lead to, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", tracked("*.md"))
def test_every_link_leads_somewhere(name):
    for link in re.findall(r"\]\(([^)]+)\)", read(name)):
        target = urlsplit(link)
        if target.scheme:
            continue
        path = (ROOT / name).parent / target.path if target.path else ROOT / name
        assert path.exists(), link
        assert not target.fragment or target.fragment in anchors(path), link


@pytest.mark.parametrize("name", GUIDES)
def test_every_file_that_is_named_exists(name):
    for path in re.findall(r"`((?:\.?\w+/)+(?:\w*\.\w+)?)`", read(name)):
        assert (ROOT / path).exists() or (ROOT / "xortune" / path).exists(), path


def test_the_change_log_names_the_versions_that_decide_about_studies():
    newest = read(CHANGELOG).partition("\n## ")[2].partition("\n## ")[0]
    assert f"Ledger: version {VERSION}," in newest
    assert f"Sampler: version {SAMPLER_VERSION}," in newest


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_the_change_log_names_the_engine_that_trains(engine, tmp_path):
    study = xortune.search(
        "smoke", trials=1, engine=engine, runner="inline", name="one", results=tmp_path
    )
    newest = read(CHANGELOG).partition("\n## ")[2].partition("\n## ")[0]
    (line,) = re.findall(r"- Engines: (.*?)\n- ", newest, re.DOTALL)
    assert pd.read_parquet(study.paths.trials_parquet).attrs["engine"] in quoted(line)


def test_the_change_log_names_the_engines_of_tables_and_functions():
    newest = read(CHANGELOG).partition("\n## ")[2].partition("\n## ")[0]
    assert {PLAIN, FunctionEngine.name} <= set(quoted(newest))


def test_pythons_are_the_same_everywhere():
    project = read("pyproject.toml")
    classified = re.findall(r"Python :: (3\.\d+)", project)
    workflow = yaml.safe_load(read(".github/workflows/tests.yml"))
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == classified
    low, high = classified[0], classified[-1]
    after = f"3.{int(high[2:]) + 1}"
    assert f'requires-python = ">={low},<{after}"' in project
    for name in (README, CONTRIBUTING):
        assert f"Python {low} to {high}" in read(name)


def test_pre_commit_has_the_ruff_of_the_constraints():
    (pinned,) = re.findall(r"^ruff==(\S+)$", read("constraints.txt"), re.MULTILINE)
    (repo,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repo["rev"] == f"v{pinned}"
    assert [hook["id"] for hook in repo["hooks"]] == ["ruff-check", "ruff-format"]
