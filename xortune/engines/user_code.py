"""Calls of a user's model, losses and metrics, whose exceptions fail a trial and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """The user's code has failed; the message is what its trial fails with."""


@contextmanager
def user_code(words: Callable[[BaseException], str]) -> Iterator[None]:
    """Turns an exception that is raised inside into a `UserError` with these words."""
    try:
        yield
    except (UserError, KeyboardInterrupt):  # The latter is a person's.
        raise
    except BaseException as error:  # Whatever the user's code makes of it, SystemExit as well.
        raise UserError(words(error)) from error
