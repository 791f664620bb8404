"""What goes of a payload when its learner retires, and who can still do with the rest."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.erasing import ERASED, erased, needs_person, needs_what_is_erased
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.payloads.base import PRIVATE, Payload, PrivateText

SIGNAL = f"{__name__}.sold"


class Seat(Payload):
    row: int
    guest: PrivateText = ""


class Sold(Payload):
    order_number: str
    lms_user_id: int
    username: PrivateText
    seats: tuple[Seat, ...] = ()
    pin: Annotated[int | None, Field(json_schema_extra=PRIVATE)] = None
    wishes: Annotated[tuple[str, ...], Field(json_schema_extra=PRIVATE)] = ()


SOLD = {
    "order_number": "EDX-1",
    "lms_user_id": 1313,
    "username": "ann",
    "seats": [{"row": 1, "guest": "ben"}, {"row": 2, "guest": ""}],
    "pin": 1234,
    "wishes": ["tea"],
    "former_name": "ann's",
}


@delivery_task
def pay_back(*, order_number: str) -> None: ...


@delivery_task
def seat_learner(*, order_number: str, username: str) -> None: ...


@delivery_task
def archive(**values: Any) -> None: ...


@pytest.fixture(autouse=True)
def contract() -> Iterator[None]:
    contracts.remember(SIGNAL, Sold)
    yield
    del contracts._contracts[SIGNAL]


def delivery_of(task: Any, payload: Any = None) -> Delivery:
    return Delivery(receiver=task.name, kind="task", dispatch=Dispatch(signal=SIGNAL, payload=payload))


def test_private_values_and_the_person_go_and_the_rest_stays() -> None:
    assert erased(SIGNAL, SOLD, person="lms_user_id") == {
        "order_number": "EDX-1",
        "lms_user_id": 0,
        "username": ERASED,
        "seats": [{"row": 1, "guest": ERASED}, {"row": 2, "guest": ERASED}],
        "pin": 0,
        "wishes": [],
        "former_name": ERASED,
    }
    assert SOLD["username"] == "ann"


def test_what_is_left_still_fits_the_contract() -> None:
    assert contracts.read(SIGNAL, erased(SIGNAL, SOLD, person="lms_user_id"))["username"] == ERASED


def test_erased_twice_is_erased_once() -> None:
    once = erased(SIGNAL, SOLD, person="lms_user_id")
    assert erased(SIGNAL, once, person="lms_user_id") == once


@pytest.mark.parametrize(("signal", "stored"), [("no.contract", {"a": 1}), (SIGNAL, None)])
def test_what_no_contract_explains_goes_whole(signal: str, stored: Any) -> None:
    assert erased(signal, stored) is None


@pytest.mark.parametrize(("task", "needs"), [(pay_back, False), (seat_learner, True), (archive, True)])
def test_receiver_needs_him_when_it_takes_a_value_that_goes(task: Any, needs: bool) -> None:
    without = erased(SIGNAL, SOLD, person="lms_user_id")
    assert needs_person(delivery_of(task), SOLD, without) is needs
    assert needs_what_is_erased(delivery_of(task, without)) is needs
    assert not needs_what_is_erased(delivery_of(task, SOLD))


def test_receiver_that_nobody_knows_is_taken_to_need_him() -> None:
    unknown = Delivery(receiver="gone.tasks.act", kind="task")
    assert needs_person(unknown, SOLD, erased(SIGNAL, SOLD))
    assert not needs_person(unknown, {"order_number": "EDX-1"}, {"order_number": "EDX-1"})


def test_nobody_can_be_called_what_stands_for_a_name() -> None:
    # edx-platform's USERNAME_REGEX_PARTIAL is [\w .@_+-]+ at its widest, and an address has an @.
    assert "(" in ERASED
    assert "@" not in ERASED
