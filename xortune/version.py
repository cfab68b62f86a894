"""The version, which hatch reads off this file."""

__version__ = "0.1.0"
