"""Conditions that leave the choice of index to us, not to a planner."""

from typing import Any

from django.db import connection
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact


def off_index(column: str, value: Any) -> Exact:
    """`column = value`, said so that no index on the column is considered.

    For a second condition beside one that has the better index: planners without statistics pick either, and the
    wrong one walks most of the table.
    """
    return Exact(Coalesce(column, Value("" if isinstance(value, str) else value)), value)


def along_index(column: str, value: Any) -> Q:
    """`column = value`, for rows that are ordered by column and key, by an index of these two, from some key on.

    Beside an equality MariaDB takes the key's range for no part of the index, and walks to it from the newest row: a
    late page would read all pages before it. Of two ranges it makes one over both columns.
    SQLite is the other way round.
    """
    if connection.vendor == "mysql":
        return Q(**{f"{column}__gte": value, f"{column}__lte": value})
    # __in: for a bare boolean Django writes no comparison, and SQLite then cannot use the index.
    return Q(**{f"{column}__in": [value]})
