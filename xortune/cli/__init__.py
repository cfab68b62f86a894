"""The command line."""

from xortune.cli.main import main

__all__ = ["main"]
