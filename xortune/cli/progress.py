"""The progress of a search: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from xortune.cli.screen import Screen, console_on
from xortune.studies.progress import ProgressText

if TYPE_CHECKING:
    from xortune.loop.search import Progress

_SECONDS_BETWEEN_LINES = 2.0


class ProgressView:
    """Shows progress on standard error while entered, unless quiet; called with every update."""

    def __init__(self, screen: Screen, quiet: bool) -> None:
        self._console = console = console_on(screen.err)
        self._messages = ExitStack()
        self._screen = screen
        self._lines = not quiet and not console.is_terminal
        self._bar: Bar | None = None
        if not quiet and console.is_terminal:
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[text]}", markup=False),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("starting", total=None, text="")
        self._text = ProgressText()
        self._next_line = 0.0

    def __enter__(self) -> ProgressView:
        if self._bar is not None:
            self._bar.start()
            self._messages.enter_context(self._screen.below(self._console))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._messages.close()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        if self._bar is not None:
            text = self._text.words(progress)
            self._bar.update(
                self._task,
                description="trials" if self._text.has_moved(progress) else "starting workers",
                total=progress.total,
                completed=progress.done,
                text=text,
            )
        elif self._lines:
            line, now = self._text.line(progress), time.monotonic()
            is_last = progress.done == progress.total and not progress.confirming
            if now >= self._next_line or is_last:
                self._next_line = now + _SECONDS_BETWEEN_LINES
                self._console.print(line, soft_wrap=True)
