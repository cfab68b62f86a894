"""The progress of a search in words; in a notebook, one line that is redrawn."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xortune.process_wide import Counted
from xortune.studies.notebook import in_notebook

if TYPE_CHECKING:
    from xortune.loop.search import Progress

_SECONDS_BETWEEN_UPDATES = 0.1


class ProgressText:
    """Words the progress of one run, with its speed since the first update."""

    def __init__(self) -> None:
        self._started: tuple[float, int] | None = None

    def words(self, progress: Progress) -> str:
        """The best loss, failures, speed and time left, as far as they are known."""
        now = time.monotonic()
        if self._started is None:
            self._started = (now, progress.done)
        seconds, done = now - self._started[0], progress.done - self._started[1]
        parts = []
        if progress.best is not None:
            parts.append(f"best {progress.best[1]:.3g}")
        if progress.failed:
            parts.append(f"{progress.failed} failed")
        if progress.confirming:
            parts.append("confirming the best")
        elif done and seconds > 0:
            rate = done / seconds
            left = (progress.total - progress.done) / rate
            parts.append(f"{rate:.3g}/s")
            if left:
                parts.append(f"{_duration(left)} left")
        return "  ".join(parts)

    def line(self, progress: Progress) -> str:
        """The number of finished trials, and the words."""
        return f"{progress.done}/{progress.total} trials  {self.words(progress)}".rstrip()

    def has_moved(self, progress: Progress) -> bool:
        """Whether this run has finished a trial."""
        return self._started is not None and progress.done != self._started[1]


@contextmanager
def watched(on_progress: Callable[[Progress], None] | None) -> Iterator[Callable[[Progress], None]]:
    """The observer of a search: `on_progress` if given, else a line in a Jupyter notebook."""
    show = None if on_progress is not None else _notebook_line()
    if show is None:
        yield on_progress or (lambda progress: None)
        return
    line = _Line(show)
    try:
        with _without_hints():
            yield line
    except KeyboardInterrupt:
        line.end("stopped")
        raise
    except BaseException:
        line.end("failed")
        raise
    line.end("")


@Counted
@contextmanager
def _without_hints() -> Iterator[None]:
    """Silences libraries that ask for ipywidgets, which the line does not need."""
    log = logging.getLogger("ray.widgets.util")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")  # from tqdm
            yield
    finally:
        log.setLevel(level)


class _Line:
    """The progress of one run as a line, which `show` replaces."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._text = ProgressText()
        self._latest: Progress | None = None
        self._next = 0.0
        show("starting workers")

    def __call__(self, progress: Progress) -> None:
        self._latest = progress
        line = self._text.line(progress)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN_UPDATES
            self._show(line)

    def end(self, word: str) -> None:
        """Shows the final line, without speed and time left, followed by a word, or none."""
        line = ProgressText().line(self._latest) if self._latest else ""
        self._show("  ".join(filter(None, (line, word))) or "nothing was left to train")


def _notebook_line() -> Callable[[str], None] | None:
    """A function that replaces a line below the notebook's cell; None outside Jupyter."""
    if not in_notebook():
        return None
    from IPython.display import display

    handle: Any = None

    def show(text: str) -> None:
        nonlocal handle
        content = {"text/plain": text}
        if handle is None:
            handle = display(content, raw=True, display_id=True)
        else:
            handle.update(content, raw=True)

    return show


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
