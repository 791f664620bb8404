"""CoordinatorSignal: a fact, named in the past tense, that plugins send and the map routes."""

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from asgiref.sync import sync_to_async
from django.db import transaction
from django.dispatch import Signal
from pydantic import BaseModel

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.deliveries import contracts, inline
from commerce_coordinator.core.deliveries.dispatch import Recorded, Route, Sending, record
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.exceptions import ConnectRefused, InvalidPayload, SendRefused
from commerce_coordinator.core.transactions import will_commit

from . import origins, registry

logger = logging.getLogger(__name__)

#: What the column of dedupe keys holds; SQLite would take more, MySQL refuses it.
LONGEST_KEY = 255


class CoordinatorSignal(Signal):
    """A signal whose receivers come from CC_SIGNALS alone, and whose every sending is kept.

    contract: a pydantic model of the payload; None allows any values (JSON, if a delivery task receives them).
    subject, person: names of the fields that say what it is about (an order number) and whom (the LMS user id).
    unique_by: names of the fields that make up the business key; a second sending with the same values adds nothing.
    needs_receiver: False for news that nobody need hear, how an enrolment ended for one. A sending of any other signal
        that the map routes to nobody is kept as unrouted, and an operator sees it.
    sent_by: for readers, who sends it where neither a delivery task nor a webhook declares to: a view, an inline
        receiver, another program by the API.
    name: dotted path; found by itself when the signal is a module's attribute, so only tests give it.
    """

    def __init__(
        self,
        contract: type[BaseModel] | None = None,
        *,
        subject: str | None = None,
        person: str | None = None,
        unique_by: Sequence[str] = (),
        needs_receiver: bool = True,
        sent_by: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.contract = contract
        self.subject = subject
        self.person = person
        self.unique_by = tuple(unique_by)
        self.needs_receiver = needs_receiver
        self.sent_by = sent_by
        self._name = name
        self._module: str = sys._getframe(1).f_globals.get("__name__", "__main__")
        self.routes: tuple[Route, ...] = ()
        self.map_hash = ""
        registry.remember(self)

    @property
    def name(self) -> str:
        """The dotted path that the map and the rows call it by."""
        if self._name is None:
            module = sys.modules.get(self._module)
            found = next((key for key, value in vars(module).items() if value is self), None) if module else None
            if found is None:
                return f"{self._module}.<unnamed>"
            self._name = f"{self._module}.{found}"
        return self._name

    def __repr__(self) -> str:
        return f"<CoordinatorSignal {self.name}>"

    # --- Receivers come from the map ---

    def connect(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ConnectRefused()

    def has_listeners(self, sender: Any = None) -> bool:
        return bool(self.routes)

    def route_to(self, routes: Sequence[Route], map_hash: str) -> None:
        """Take the map's routes. Called by routes.py and by tests."""
        contracts.remember(self.name, self.contract)
        self.routes = tuple(routes)
        self.map_hash = map_hash

    def receivers_beside_the_map(self) -> list[Any]:
        """What was connected in another way: `Signal.connect(signal, f)` goes round our `connect`.

        Django's own list stays empty: routes are no Django receivers, which would have to take **kwargs.
        """
        return [entry[1] for entry in self.receivers]

    # --- Sending ---

    def send(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SendRefused()

    async def asend(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SendRefused()

    def send_robust(self, sender: Any, **values: Any) -> list[tuple[Any, Any]]:
        """Record the sending, then run the inline receivers. Returns Django's `[(receiver, result or exception), ...]`.

        For a delivery task the result is its Delivery; so it is for an inline receiver inside an open transaction,
        which runs when that is committed. Raises InvalidPayload, and what the database raises when the sending could
        not be written; a receiver's failure never.

        Where CC_SIGNAL_ORIGINS does not let this process record signals, it goes through the API: then every result is
        a Delivery, and Retry is raised when the call fails, SendingConfined when it cannot be made.
        """
        if origins.is_confined():
            self._note_undeclared()
            found = origins.send_by_api(self.prepare(sender, values))
        else:
            found = self._send_here(sender, values)
        reached("signal.sent", self.name)
        return found

    def _send_here(self, sender: Any, values: Mapping[str, Any]) -> list[tuple[Any, Any]]:
        recorded = self.record(sender, values)
        if will_commit():
            transaction.on_commit(lambda: inline.run(recorded), robust=True)
            outcomes: Mapping[str, Any] = {}
        else:
            outcomes = inline.run(recorded)
        return [
            (route.target, outcomes.get(route.receiver, recorded.delivery_of(route)))
            for route in recorded.sending.routes
        ]

    async def asend_robust(self, sender: Any, **values: Any) -> list[tuple[Any, Any]]:
        return await sync_to_async(self.send_robust)(sender, **values)

    def record(self, sender: Any, values: Mapping[str, Any]) -> Recorded:
        """Validate and write, nothing else. Joins an open transaction; the caller then owns the inline receivers."""
        self._note_undeclared()
        return record(self.prepare(sender, values))

    def _note_undeclared(self) -> None:
        attempt = running_attempt()
        if attempt and attempt.declared_sends is not None and self.name not in attempt.declared_sends:
            logger.warning(
                "A delivery task sent a signal that it does not declare.",
                extra={"receiver": attempt.receiver, "signal": self.name},
            )

    def prepare(self, sender: Any, values: Mapping[str, Any], *, from_json: bool = False) -> Sending:
        """Validate the values; touches no database. Raises InvalidPayload. from_json: they are read from JSON."""
        payload, typed = self._validated(values, contracts.validate_json if from_json else contracts.validate)
        return Sending(
            signal=self.name,
            routes=self.routes,
            payload=payload,
            values=typed,
            sender=sender,
            subject=self._field(typed, self.subject),
            person=self._field(typed, self.person),
            dedupe_key=self.business_key(typed),
            map_hash=self.map_hash,
            unrouted=self.needs_receiver and not self.routes,
        )

    def business_key(self, values: Mapping[str, Any]) -> str | None:
        """The dedupe key of a sending with these values of `unique_by`; None where it has none."""
        return _business_key([self._field(values, name) for name in self.unique_by])

    def _validated(self, values: Mapping[str, Any], validate: Callable[..., BaseModel]) -> tuple[Any, dict[str, Any]]:
        if self.contract is None:
            payload = contracts.to_json(values)
            self._check_text(payload)
            if payload is None and any(route.kind == Delivery.Kind.TASK for route in self.routes):
                raise InvalidPayload(f"{self.name} is routed to a delivery task, so its values must be JSON.")
            return payload, dict(values)
        model = validate(self.name, self.contract, values)
        payload = model.model_dump(mode="json")
        self._check_text(payload)
        return payload, contracts.values_of(model)

    def _check_text(self, payload: Any) -> None:
        """Half a surrogate pair, which JSON may hold, can be written nowhere."""
        try:
            json.dumps(payload, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidPayload(f"The payload of {self.name} holds text that is not UTF-8.") from None

    @staticmethod
    def _field(values: Mapping[str, Any], name: str | None) -> str:
        value = values.get(name) if name else None
        return "" if value is None else str(value)


def _business_key(fields: Sequence[str]) -> str | None:
    """One text for all fields, in which a colon of theirs cannot pass for one of ours; None when all are empty."""
    if not any(fields):
        return None
    key = ":".join(field.replace("%", "%25").replace(":", "%3A") for field in fields)
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
