"""The durable truth of a study: one SQLite file, written by one driver."""

from xortune.ledger.ledger import Ledger
from xortune.ledger.overview import Overview

__all__ = ["Ledger", "Overview"]
