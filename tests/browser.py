"""A headless Chromium that may reach this machine alone, and that reports what pages do wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

NARROW, WIDE = (400, 800), (1600, 1000)
# Without these, Chromium asks its maker's hosts at every start.
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Tab:
    """A page, with what it did that it should not have done."""

    page: Page
    requests: list[str] = field(default_factory=list)  # addresses outside the page's own host
    errors: list[str] = field(default_factory=list)  # exceptions, and messages of the console

    def watch(self) -> None:
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)


class Chromium:
    """Opens tabs; closed at the end of the tests."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @contextmanager
    def tab(
        self, size: tuple[int, int] = WIDE, *, dark: bool = False, script: bool = True
    ) -> Iterator[Tab]:
        """An empty page of a size in pixels, for the light or the dark theme."""
        width, height = size
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        tab = Tab(context.new_page())
        tab.watch()
        try:
            yield tab
        finally:
            context.close()


@contextmanager
def started() -> Iterator[Chromium]:
    """A running Chromium; skips the test where there is none, unless in CI."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: .ci/run is to install one")
        pytest.skip("no Chromium: install the package chromium of your system")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield Chromium(browser)
        finally:
            browser.close()
