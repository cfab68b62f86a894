"""Words of other search tools and what they are called here: settings, commands, attributes.

The other tools are Optuna, Ray Tune, Weights & Biases and scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from xortune.studies.options import RESUME_KEYWORDS, SEARCH_KEYWORDS
from xortune.wording import named_command, option

# Settings that a resume cannot change. `set` is the command line's name of `narrow`.
_MAY_BE_GIVEN_AGAIN = ("trials", "data", "problem", "include", *RESUME_KEYWORDS)
RECORDED = (
    *(name for name in SEARCH_KEYWORDS if name not in _MAY_BE_GIVEN_AGAIN),
    *("narrow", "set", "space", "name", "engine"),
)
_EARLY = ("patience", "early_stopping", "early_stop")
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    name: ours
    for names, ours in (
        (("num_samples", "n_samples", "count", "run_cap", "max_trials", "n_iter"), ("trials",)),
        (("study_name", "project", "experiment"), ("name",)),
        (("time_budget", "time_budget_s"), ("timeout",)),
        (("pruning", "scheduler", "early_terminate"), ("pruner",)),
        (("storage", "storage_path", "out", "output_dir"), ("results",)),
        (("average",), ("aggregate",)),
        (("grace_period", "reduction_factor", "min_resource"), ("rungs", "rung_epochs")),
        (_EARLY, ("plateau",)),
        (("cv", "kfold", "n_folds"), ("folds",)),
        (("seeds", "n_seeds", "num_seeds", "repeats"), ("replicates",)),
        (("n_jobs", "max_concurrent_trials", "concurrency"), ("workers",)),
        (("direction", "mode", "goal"), ("objective",)),
        (("method",), ("sampler",)),
        # `submit` has an option `--resume`; elsewhere it is a command.
        (("resume", "restore"), ("resume",)),
        (("load_if_exists",), ("exist_ok", "resume")),
    )
    for name in names
}
_COMMANDS = {
    **dict.fromkeys(("optimize", "optimise", "tune", "sweep", "run"), "search"),
    **dict.fromkeys(("ls", "studies"), "list"),
}
_ATTRIBUTES = {
    "best_params": "study.best, a row with its parameters and metrics",
    "best_trial": "study.best, a row with its parameters and metrics",
    "best_value": "study.best[METRIC] with the name of a metric",
    "trials_dataframe": "study.trials, a DataFrame",
}


def meant_setting(
    word: str, known: Collection[str], spelled: Callable[[str], str], *, of_resume: bool
) -> str:
    """A sentence on a setting that has another name here, or that a resume cannot change.

    Args:
        word: a setting that the caller does not know.
        known: the settings that it knows.
        spelled: writes one of these.
        of_resume: whether it is a resume.

    Returns:
        Empty if the word says nothing.

    Example:
        meant_setting("n-jobs", ["workers"], option, of_resume=False)  # Did you mean --workers?
    """
    word = word.replace("-", "_").lower()
    ours = (word,) if word in RECORDED else _SETTINGS.get(word, ())
    recorded = [option(name) for name in ours if name in RECORDED]
    if of_resume and recorded:
        verb, object_ = ("is", "it") if len(recorded) == 1 else ("are", "them")
        names = " and ".join(recorded)
        return f"{names} {verb} recorded with the study, and a resume cannot change {object_}."
    if word in _EARLY and "plateau" in known:
        return (
            f"{spelled('plateau')} ends a search. For a table, early_stopping is a parameter of "
            "the space."
        )
    meant = [_written(name, spelled) for name in ours if name in known]
    if "resume" in ours and of_resume:
        return "It is not needed: a resume does that."
    if "resume" in ours and "resume" not in known:
        meant.append(named_command("resume"))
    return f"Did you mean {' or '.join(meant)}?" if meant else ""


def _written(name: str, spelled: Callable[[str], str]) -> str:
    return option(name, "NAME:max") if name == "objective" else spelled(name)


def meant_command(word: str) -> str | None:
    """The command that does what another tool's does; None if none is known."""
    return _COMMANDS.get(word.lower())


def meant_attribute(name: str) -> str | None:
    """What a study has in place of an attribute of Optuna's; None for any other name."""
    return _ATTRIBUTES.get(name)
