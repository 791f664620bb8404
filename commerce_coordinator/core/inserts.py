"""INSERT for rows whose keys are made in the client, the statement's text put together once per table.

Django's `save` and `bulk_create` also send signals, look for parents and fetch keys. Our rows need none of it, and it
takes half of an insertion's CPU time.
"""

import functools
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def insert(*rows: Model) -> None:
    """Write rows of one model, complete with their keys, in one statement. Raises what the database raises."""
    start, fields = _statement(type(rows[0]), connection.vendor)
    groups: list[str] = []
    values: list[Any] = []
    for row in rows:
        stored = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
        groups.append(f"({', '.join(map(_placeholder, fields, stored))})")
        values += stored
    with connection.cursor() as cursor:
        cursor.execute(start + ", ".join(groups), values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@functools.cache
def _statement(model: type[Model], vendor: str) -> tuple[str, tuple["Field[Any, Any]", ...]]:
    """The statement up to VALUES, and the fields in its order. Names are quoted in each database's own way."""
    fields = model._meta.local_concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ", tuple(fields)  # noqa: S608


def _placeholder(field: "Field[Any, Any]", value: Any) -> str:
    """MySQL wants bytes marked as such."""
    own = getattr(field, "get_placeholder", None)
    return own(value, None, connection) if own else "%s"
