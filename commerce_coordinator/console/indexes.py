"""Conditions that leave the choice of index to us, not to a planner."""

from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact


def off_index(column: str, value: Any) -> Exact:
    """`column = value`, said so that no index on the column is considered.

    For a second condition beside one that has the better index: planners without statistics pick either, and the
    wrong one walks most of the table.
    """
    return Exact(Coalesce(column, Value("" if isinstance(value, str) else value)), value)
