"""What there is when a run is over: rows, the LMS's own count, the mails, the sender's ledger."""

import contextlib
import dataclasses
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .sender import Sent

#: How Django's file backend ends a mail.
_END_OF_MAIL = b"-" * 79


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """`settled_at` in Unix seconds, None while it is open."""

    id: str
    order_number: str
    receiver: str
    state: str
    error_class: str
    settled_at: float | None
    #: Tries that were counted when they began; rows of tries that ended; of them, that succeeded.
    attempts: int = 1
    attempts_ended: int = 1
    attempts_succeeded: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that the verdict is made of."""

    ledger: Mapping[str, Sent]
    #: Event id -> state of its inbox row.
    inbox: Mapping[str, str]
    #: (signal's name, order number, line number or None) -> dispatches. Each is one fact.
    facts: "Counter[tuple[str, str, int | None]]"
    unrouted: int
    deliveries: tuple[DeliveryRow, ...]
    #: (username, course) -> calls on the LMS that changed something; and the enrolments that are there.
    lms_changes: "Counter[tuple[str, str]]"
    enrolled: frozenset[tuple[str, str]]
    #: Order number -> mails.
    mails: "Counter[str]"
    attempts_lost: int = 0


def gather(connection: Any, lms_data: Path, mails: Path, ledger: Mapping[str, Sent]) -> Evidence:
    """Read everything. `connection`: to MariaDB, round the proxy and round our own code."""
    return Evidence(
        ledger=ledger,
        inbox=dict(_rows(connection, "SELECT event_id, state FROM inbox_inboxevent")),
        facts=Counter(_facts(connection)),
        unrouted=_rows(connection, "SELECT COUNT(*) FROM deliveries_dispatch WHERE unrouted")[0][0],
        deliveries=_deliveries(connection),
        lms_changes=Counter(_on_lms(lms_data, "SELECT user, course FROM demo_lms_standincall WHERE changed")),
        enrolled=frozenset(
            _on_lms(
                lms_data, "SELECT user, course FROM demo_lms_standinenrollment WHERE is_active AND mode = 'verified'"
            )
        ),
        mails=Counter(_mails(mails)),
        attempts_lost=_rows(connection, "SELECT COUNT(*) FROM deliveries_attempt WHERE outcome = 'lost'")[0][0],
    )


def open_deliveries(connection: Any) -> int:
    count: int = _rows(connection, "SELECT COUNT(*) FROM deliveries_delivery WHERE state IN ('pending', 'running')")[0][
        0
    ]
    return count


def _rows(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _facts(connection: Any) -> list[tuple[str, str, int | None]]:
    rows = _rows(connection, "SELECT `signal`, subject, payload FROM deliveries_dispatch")
    return [
        (name.rpartition(".")[2], subject, json.loads(payload).get("line_number")) for name, subject, payload in rows
    ]


def _deliveries(connection: Any) -> tuple[DeliveryRow, ...]:
    rows = _rows(
        connection,
        "SELECT e.id, d.subject, e.receiver, e.state, e.error_class, "
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', e.settled_at) / 1000000, "
        "e.attempts, COUNT(a.id), COALESCE(SUM(a.outcome = 'succeeded'), 0) "
        "FROM deliveries_delivery e JOIN deliveries_dispatch d ON d.id = e.dispatch_id "
        "LEFT JOIN deliveries_attempt a ON a.delivery_id = e.id GROUP BY e.id",
    )
    return tuple(
        DeliveryRow(
            id=str(key),
            order_number=order_number,
            receiver=receiver.rpartition(".")[2],
            state=state,
            error_class=error_class,
            settled_at=None if settled_at is None else float(settled_at),
            attempts=int(attempts),
            attempts_ended=int(ended),
            attempts_succeeded=int(succeeded),
        )
        for key, order_number, receiver, state, error_class, settled_at, attempts, ended, succeeded in rows
    )


def _on_lms(lms_data: Path, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(lms_data / "commerce_coordinator.sqlite3")) as connection:
        return connection.execute(statement).fetchall()


def _mails(folder: Path) -> list[str]:
    """The order number of each mail. The end of one is a line of dashes; without it the writing was cut off."""
    whole = (part for path in folder.iterdir() for part in path.read_bytes().split(_END_OF_MAIL)[:-1])
    return [found[1].decode() for part in whole if (found := re.search(rb"^X-Order-Number: (\S+)", part, re.MULTILINE))]
