"""What payments keep of a learner. The payments themselves stay, since money may still go back."""

from collections.abc import Iterator

from commerce_coordinator.core.retirement.rooms import Person, Room, register

from .models import Payment


def names(lms_user_id: int) -> Iterator[str]:
    for pair in Payment.objects.filter(lms_user_id=lms_user_id).values_list("username", "email"):
        yield from pair


def erase(person: Person) -> int:
    """One statement. A payment that comes later is his own row, and erased when it has come."""
    return Payment.objects.filter(lms_user_id=person.lms_user_id).update(username="", email="", lms_user_id=None)


register(Room(name="fulfillment", names=names, erase=erase))
