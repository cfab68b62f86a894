"""The durable truth of a study: one SQLite file, written by one driver."""

from xortune.ledger.ledger import Ledger

__all__ = ["Ledger"]
