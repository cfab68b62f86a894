"""The commands that repeat a study from its recorded settings, and that continue it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.escaping import shell_word
from xortune.paths import shipped_spaces
from xortune.settings import StudySettings
from xortune.studies.problems import DEFAULT_DATA, kind_of

if TYPE_CHECKING:
    import pandas as pd

    from xortune.studies.study import Study

SPACE_FILE = "space.yaml"
_XORTUNE = "python -m xortune"
# Options whose values are those of the settings; those at their default are left out.
_OPTIONS = (
    "generation", "log_every", "replicates", "folds", "aggregate", "pruner", "stop_at", "plateau",
    "epoch_budget",
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
_DEFAULTS = {field.name: field.default for field in fields(StudySettings)}


def search_command(study: Study) -> tuple[str, bool]:
    """The command that repeats a study, and whether it needs its space as a file.

    The name of the data, or of the function's file, is as recorded: without its folder.
    """
    settings = study.settings
    shipped = _shipped_space(settings)
    words = [f"{_XORTUNE} search {shipped or SPACE_FILE}", *_subject(settings)]
    metric, direction = settings.spec.objectives[0]
    words += [
        f"--objective {metric}:{direction[:3]}",
        f"--trials {settings.trials}",
        f"--sampler {settings.sampler}",
        f"--study-seed {settings.study_seed}",
    ]
    words += [
        f"--{name.replace('_', '-')} {getattr(settings, name)}"
        for name in _OPTIONS
        if getattr(settings, name) != _DEFAULTS[name]
    ]
    if settings.rungs:
        words.append(f"--rung-epochs {','.join(map(str, settings.rungs))}")
    if settings.mixed:
        words.append("--mixed")
    words.append(f"--confirm {':'.join(map(str, settings.confirm or ())) or 'none'}")
    words += _place(study)
    words.append(f"--name {shell_word(f'{study.name[:94]}-again')}")
    return " ".join(words), shipped is None


def resume_command(study: Study, named: str = "") -> tuple[str, str] | None:
    """The command that finishes a study, or extends it where the space has more points.

    Args:
        study: the study.
        named: the options that name its data or function again, with a space before each; by
            default as the study knows them, without folders.

    Returns:
        What it does, and the command; None for a study of the whole space.
    """
    settings, named = study.settings, named or named_again(study.settings)
    command = f"{_XORTUNE} resume {shell_word(str(study.paths.folder))}{named}"
    if not study.is_finished:
        by = study.stopped_by
        limit = "" if by is None or by == "timeout" else f" --{by.replace('_', '-')} none"
        return "Resume the search where it stopped:", f"{command}{limit}"
    total, most = settings.trials, study.most_trials
    if most is not None and total >= most:
        return None
    larger = min(2 * total, most or math.inf)
    return f"Extend it to {larger:,} trials:", f"{command} --trials {larger}"


def confirm_command(study: Study, trials: pd.DataFrame) -> str | None:
    """The command that confirms the best trials, with the numbers that a search would choose.

    It estimates the work from the times of the trials.

    Args:
        study: the study.
        trials: its trials, as `Study.trials` has them.

    Returns:
        The command; None for a function, whose trainings may take any time and be all the same,
        and where a search would not confirm by itself.
    """
    settings = study.settings
    counts = settings.confirm or _counts(study, trials)
    if not counts:
        return None
    folder = shell_word(str(study.paths.folder))
    named = f"{folder}{named_again(settings)}"
    return f"{_XORTUNE} resume {named} --confirm {':'.join(map(str, counts))}"


def _counts(study: Study, trials: pd.DataFrame) -> tuple[int, ...]:
    from xortune.engines.engine import Pace
    from xortune.loop.confirmation import counts_for

    settings = study.settings
    cost = settings.spec.cost
    complete = trials[trials["state"] == "COMPLETE"]
    seconds = float(complete["duration_s"].sum())
    if kind_of(settings.problem).is_function or not seconds > 0:
        return ()
    work = len(complete) if cost is None else float(complete[cost].sum())
    pace = Pace(work * settings.replicates / seconds, 1, math.inf, 1)
    return counts_for(settings, study.space, pace)


def named_again(settings: StudySettings) -> str:
    """The options that name a study's code and data again, with a space before each."""
    file, data = settings.problem.get("file"), settings.problem and settings.data
    code = f" --problem {shell_word(str(file))}" if file else ""
    return f"{code} --data {shell_word(settings.data)}" if data else code


def space_text(parameters: Mapping[str, Mapping[str, Any]]) -> str:
    """The parameters of a recorded search space as the text of a file, in YAML."""
    lines = [f"  {_key(name)}: {_yaml(domain)}" for name, domain in parameters.items()]
    return "\n".join(["parameters:", *lines, ""])


def _shipped_space(settings: StudySettings) -> str | None:
    """The name of the shipped space that is the study's."""
    from xortune.space import load_space

    for name in shipped_spaces():
        try:
            if load_space(name, settings.spec).parameters == settings.space:
                return name
        except UsageError:
            pass  # It is for another problem.
    return None


def _subject(settings: StudySettings) -> list[str]:
    """The options that say what was searched."""
    recorded = settings.problem
    words = []
    if "file" in recorded:
        name = recorded.get("name")
        file = shell_word(f"{recorded['file']}:{name}" if name else str(recorded["file"]))
        folders = [f"--include {shell_word(folder)}" for folder in recorded.get("includes", ())]
        words = [f"--problem {file}", *folders]
    if (recipe := recorded.get("recipe")) is not None:
        words += _table(settings.data, recipe)
    if recorded:
        return words
    return [] if settings.data in ("", DEFAULT_DATA) else [f"--data {shell_word(settings.data)}"]


def _table(data: str, recipe: Mapping[str, Any]) -> list[str]:
    from xortune.problems.table.asked import DROPPED

    dropped = [name for name, reason in recipe["left_out"] if reason == DROPPED]
    return [
        f"--data {shell_word(data)}",
        f"--target {shell_word(recipe['target_name'])}",
        f"--task {recipe['target']['task']}",
        f"--split {'/'.join(f'{share:g}' for share in recipe['split'])}",
        f"--split-seed {recipe['split_seed']}",
        *(f"--drop {shell_word(name)}" for name in dropped),
        *(f"--text {shell_word(c['name'])}" for c in recipe["columns"] if c["kind"] == "words"),
    ]


def _place(study: Study) -> list[str]:
    """The options that choose engine and device, which decide the last bits."""
    settings = study.settings
    kind = kind_of(settings.problem)
    family = kind.family(study.provenance.engine)
    words = [] if family == "auto" else [f"--engine {family}"]
    if kind.on_gpus and settings.device != "both":
        words.append(f"--device {settings.device}")
    elif kind.on_gpus:
        words.append(f"--device both --cuda-share {settings.cuda_share}")
    return words


def _key(name: str) -> str:
    """A name as YAML reads it: some words would be truth values."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else _yaml(name)


def _yaml(value: Any) -> str:
    """A plain value in the JSON that YAML reads, in printable characters."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
