"""A database that refuses, at its edge: whatever writes the row meets the error."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Model


@contextlib.contextmanager
def inserts_fail(model: type[Model], *errors: Exception) -> Iterator[None]:
    """Each INSERT into the model's table raises the next error, until there is none left."""
    left = list(errors)
    start = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)}"

    def execute(run: Any, sql: str, *arguments: Any) -> Any:
        if left and sql.startswith(start):
            raise left.pop(0)
        return run(sql, *arguments)

    with connection.execute_wrapper(execute):
        yield
    assert not left, f"Not raised: {left}"
