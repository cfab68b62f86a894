"""`compare`: studies side by side."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from xortune.cli.options import add_results, positive
from xortune.cli.screen import Screen
from xortune.errors import UsageError
from xortune.escaping import json_text
from xortune.paths import DEFAULT_RESULTS

if TYPE_CHECKING:
    from xortune.studies.study import Study

_FORMATS = ("table", "json")
_SHOWN = 3


def add(commands: Any) -> None:
    parser = commands.add_parser("compare", help="lay studies side by side")
    parser.set_defaults(run=run)
    parser.add_argument(
        "studies", nargs="+", metavar="STUDY",
        help="two or more, by their names in the results folder or their folders' paths",
    )  # fmt: skip
    parser.add_argument(
        "--top", type=positive, default=_SHOWN, metavar="N", help="best trials (default: 3)"
    )
    parser.add_argument("--format", choices=_FORMATS, default="table", help="(default: table)")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    from xortune.cli.comparison import Compared, print_comparison
    from xortune.studies.comparison import differing, incomparable

    studies = _loaded(arguments)
    found = Compared(
        _names(studies),
        incomparable([study.settings for study in studies]),
        differing(studies),
        [_facts(study, arguments.top) for study in studies],
    )
    if arguments.format == "json":
        screen.out.write(_json(found, studies))
    else:
        print_comparison(found, studies, screen)


def _loaded(arguments: Namespace) -> list[Study]:
    """The studies; raises UsageError with all that is wrong with them."""
    from xortune.studies.study import load

    studies: list[Study] = []
    faults: list[str] = []
    for name in arguments.studies:
        try:
            studies.append(load(name, arguments.results))
        except UsageError as error:
            faults.append(str(error))
    if not faults:
        folders = [study.paths.folder.resolve() for study in studies]
        faults = [
            f"compare {study.name}: the study is named twice. Name others."
            for place, study in enumerate(studies)
            if folders[place] in folders[:place]
        ]
    if not faults and len(studies) < 2:
        faults = [f"compare {studies[0].name}: name another study, too."]
    if faults:
        raise UsageError("\n".join(faults))
    return studies


def _names(studies: list[Study]) -> list[str]:
    """What each study is called: its name, or its folder where names repeat."""
    names = [study.name for study in studies]
    return [
        study.name if names.count(study.name) == 1 else str(study.paths.folder) for study in studies
    ]


def _facts(study: Study, top: int) -> dict[str, Any]:
    """The numbers of a study; `recommended` as its summary has it."""
    from xortune.report import course

    trials, settings = study.trials, study.settings
    summary = study.summary_of(trials)
    found = course(trials, settings.spec, settings.trials, top)
    return {**found, "recommended": summary.get("recommended")}


def _json(found: Any, studies: list[Study]) -> str:
    import json

    content = {
        "incomparable": found.incomparable,
        "settings": {name: dict(zip(found.names, texts)) for name, texts in found.settings.items()},
        "studies": [
            {"name": study.name, "folder": str(study.paths.folder), **facts}
            for study, facts in zip(studies, found.facts)
        ],
    }
    return json_text(json.dumps(content, indent=2, allow_nan=False)) + "\n"
