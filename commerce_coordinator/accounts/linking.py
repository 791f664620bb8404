"""Which account is the LMS's user? The same rules for JWTs and for log-in (SSO).

An account belongs to the LMS's user whose id it carries. One that carries none and came from the LMS (nobody can log in
to it with a password) is given the id when it is first told. All else is refused: a local account, for one, whose name
somebody took on the LMS, or a name that changed hands.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from .models import User

LONGEST_USERNAME = 150
LONGEST_EMAIL = 254
LARGEST_ID = 2**63 - 1


class Refused(Exception):
    """This person gets no account here. The text says why and holds no value."""


@dataclasses.dataclass(frozen=True)
class Person:
    """Whom the LMS speaks of. `attributes`: what it says of him, by the names of our user's columns."""

    username: str
    attributes: Mapping[str, Any]

    @property
    def lms_user_id(self) -> int | None:
        return self.attributes.get("lms_user_id")


def person_of(claims: Mapping[str, Any], mapping: Mapping[str, str]) -> Person:
    """The person in the LMS's claims. `mapping`: claim -> column, of which those in `_READ` are known. Raises Refused.

    A claim that is absent says nothing: what is kept stays.
    """
    username = claims.get("preferred_username") or claims.get("username")
    if not _is_text(username, LONGEST_USERNAME) or username != str(username).strip():
        raise Refused("The token names no user.")
    attributes = {
        column: _READ[column](claims[claim])
        for claim, column in mapping.items()
        if column in _READ and claims.get(claim) is not None
    }
    return Person(str(username), {column: value for column, value in attributes.items() if value is not None})


def account_of(person: Person) -> User:
    """The person's account, made or brought up to date. One statement when nothing changed. Raises Refused."""
    user = User.objects.filter(username=person.username).first()
    if user is not None:
        _check(user, person)
        if not _changes(user, person):
            return user
    try:
        with transaction.atomic():
            if user is None:
                # Somebody else may make it at this moment.
                user, _ = User.objects.get_or_create(
                    username=person.username, defaults={**person.attributes, "password": make_password(None)}
                )
                _check(user, person)
            changes = _changes(user, person)
            for column, value in changes.items():
                setattr(user, column, value)
            if changes:
                user.save(update_fields=list(changes))
    except IntegrityError:
        raise Refused("Another account has this LMS user id.") from None
    return user


def _check(user: User, person: Person) -> None:
    # A database may find names that differ in case or in accents.
    if user.username != person.username:
        raise Refused("Another account has nearly this user name.")
    if not user.is_active:
        raise Refused("This account is switched off.")
    is_his = person.lms_user_id is not None and user.lms_user_id == person.lms_user_id
    if is_his:
        return
    if user.is_superuser or user.has_usable_password():
        raise Refused("This user name belongs to an account of this service alone.")
    if user.lms_user_id is not None and person.lms_user_id is not None:
        raise Refused("This user name belongs to another user of the LMS.")


def _changes(user: User, person: Person) -> dict[str, Any]:
    found = {column: value for column, value in person.attributes.items() if getattr(user, column) != value}
    if user.is_superuser:
        found.pop("is_staff", None)  # what was given here is taken away here
    return found


def _is_text(value: Any, longest: int) -> bool:
    # Neither NUL nor half a surrogate pair is printable.
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _email(value: Any) -> str | None:
    return value if _is_text(value, LONGEST_EMAIL) and "@" in value else None


def _lms_user_id(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID:
        return value
    raise Refused("The token's user_id is no id.")


def _flag(value: Any) -> bool:
    return value is True


#: The columns that the LMS may fill, and how a claim's value is read. Never is_superuser.
_READ: dict[str, Callable[[Any], Any]] = {"email": _email, "is_staff": _flag, "lms_user_id": _lms_user_id}
