"""Statements and transactions that are run again when the database says so."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

Result = TypeVar("Result")

TRIES = 5

#: MySQL's numbers: lock wait time-out, deadlock. The other databases' operational errors do not heal in milliseconds.
_PASSING = frozenset({1205, 1213})


def is_passing(error: OperationalError) -> bool:
    """Did the database undo the statement only because another was in its way?"""
    return connection.vendor == "mysql" and bool(error.args) and error.args[0] in _PASSING


def has_no_tables(error: Exception) -> bool:
    """Is a table missing (SQLite's words, MySQL's number)? Then migrations have not run; nothing is away."""
    return "no such table" in str(error) or (bool(error.args) and error.args[0] == 1146)


def again_after_deadlock(function: Callable[[], Result]) -> Result:
    """Run `function`; again, from its beginning, after a deadlock.

    Inside a transaction it runs once: a deadlock has undone what came before too, which only its owner can repeat.
    """
    tries = 1 if connection.in_atomic_block else TRIES
    for number in range(1, tries):
        try:
            return function()
        except OperationalError as error:
            if not is_passing(error):
                raise
            time.sleep(random.uniform(0.005, 0.02) * number)  # noqa: S311 - spreads those that collided
    return function()


def atomically(function: Callable[[], Result]) -> Result:
    """Run `function` in a transaction; again after a deadlock, unless another transaction surrounds it."""

    def in_transaction() -> Result:
        with transaction.atomic():
            return function()

    return again_after_deadlock(in_transaction)


def will_commit() -> bool:
    """Is a transaction open? A test's own, which is never committed, does not count."""
    return connection.in_atomic_block and any(
        not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    )
