"""A database that refuses, at its edge: whatever writes the row meets the error."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection
from django.db.models import Model


def inserts_fail(model: type[Model], *errors: Exception) -> AbstractContextManager[None]:
    """Each INSERT into the model's table raises the next error, until there is none left."""
    return _fail(f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)}", errors)


def updates_fail(model: type[Model], *errors: Exception) -> AbstractContextManager[None]:
    """Each UPDATE of the model's table raises the next error, until there is none left."""
    return _fail(f"UPDATE {connection.ops.quote_name(model._meta.db_table)}", errors)


@contextlib.contextmanager
def _fail(start: str, errors: Sequence[Exception]) -> Iterator[None]:
    left = list(errors)

    def execute(run: Any, sql: str, *arguments: Any) -> Any:
        if left and sql.startswith(start):
            raise left.pop(0)
        return run(sql, *arguments)

    with connection.execute_wrapper(execute):
        yield
    assert not left, f"Not raised: {left}"
