"""Conditions on the rows of a table, such as `rate > 0.1 and state == 'COMPLETE'`.

A condition is parsed into a tree, and the tree is applied to columns. Nothing of it is ever
evaluated by Python or pandas.
"""

from xortune.report.where.checks import check_condition
from xortune.report.where.matching import matches
from xortune.report.where.parser import parse_condition
from xortune.report.where.tree import Condition

__all__ = ["Condition", "check_condition", "matches", "parse_condition"]
