"""argparse, with messages that name the remedy."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from xortune.escaping import message as shown
from xortune.studies.foreign import RECORDED, meant_command, meant_setting
from xortune.studies.problems import SPEC
from xortune.wording import likely_choice, option

# Values that begin with a dash. The expression of argparse does not match -1e-3.
_NEGATIVE = re.compile(r"-(\.?\d|inf|nan)")
# A search space's parameters by their names and aliases.
_PARAMETERS = {**SPEC.aliases, **{name: name for name in SPEC.names}}


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, without the usage.

    Options cannot be abbreviated: an abbreviation becomes ambiguous when an option is added.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{**settings, "allow_abbrev": False})
        self._negative_number_matcher = _NEGATIVE

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(2, f"{self.prog}: {shown(message)}{end} See {self.prog} --help.\n")

    def parse_all(self, argv: Sequence[str]) -> argparse.Namespace:
        """The parsed command line; exits with code 2 if it is invalid."""
        arguments, unknown = self.parse_known_args(argv)
        if unknown:
            commands = next(a for a in self._actions if isinstance(a, argparse._SubParsersAction))
            command = commands.choices[arguments.command]
            command.error(command.unknown_words(unknown, argv))
        return arguments

    def unknown_words(self, unknown: Sequence[str], argv: Sequence[str]) -> str:
        """The message on words that the command does not take."""
        options = [word for word in unknown if word.startswith("-")]
        if not options:
            return f"unexpected {' '.join(unknown)!r}"
        known = self._option_string_actions
        fixed = {word: name for word in options if (name := _parameter(word)) is not None}
        if not fixed or "--study-seed" not in known:
            return self._unknown_option(options[0].partition("=")[0])
        names = " and ".join(dict.fromkeys(fixed.values()))
        verb = "are parameters" if " and " in names else "is a parameter"
        words = " ".join(
            f"--set {name}={shlex.quote(_value(argv, word))}" for word, name in fixed.items()
        )
        sampler = "; the sampler's own is --study-seed" if "seed" in fixed.values() else ""
        return f"{names} {verb} of the search space. To fix a value: {words}{sampler}"

    def _unknown_option(self, word: str) -> str:
        """The message on an option that the command lacks."""
        known = self._option_string_actions
        name, of_resume = word.lstrip("-").replace("-", "_"), self.prog.endswith(" resume")
        if of_resume and name in RECORDED:
            return meant_setting(name, (), option, of_resume=True)
        names = {key.lstrip("-").replace("-", "_") for key in known}
        hint = meant_setting(name, names, option, of_resume=of_resume)
        return f"no option {word}" + (f". {hint}" if hint else _did_you_mean(word, known))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            # Those with help; the others are for xortune itself.
            listed = [command.dest for command in action._get_subactions()]
            meant = meant_command(value)
            hint = f". Did you mean {meant}?" if meant else _did_you_mean(value, listed) or "."
            raise argparse.ArgumentError(
                None, f"no command {value!r}{hint} Commands: {', '.join(listed)}"
            )
        if action.dest == "engine":
            return  # Which there are depends on the problem: the search says it.
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            hint = likely_choice(value, action.choices or ())
            error.message += f".{hint}" if hint else ""
            raise


def _parameter(word: str) -> str | None:
    """The parameter that an option means, or None."""
    name = _PARAMETERS.get(word.partition("=")[0].lstrip("-").replace("-", "_").lower())
    return name if name in SPEC.names else None


def _value(argv: Sequence[str], word: str) -> str:
    """The value of an option: after its `=`, or the next word."""
    _, equals, given = word.partition("=")
    if equals:
        return given
    following = next(iter(argv[argv.index(word) + 1 :]), "-")
    return "VALUE" if following[:1] == "-" and not _NEGATIVE.match(following) else following


def _did_you_mean(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f". Did you mean {close[0]}?" if close else ""
