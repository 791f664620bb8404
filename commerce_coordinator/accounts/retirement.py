"""What log-in keeps of a learner: his account, its link to the LMS, its sessions."""

from collections.abc import Iterator, Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from social_django.models import UserSocialAuth

from commerce_coordinator.core.deliveries.models import Dispatch, OperatorAct
from commerce_coordinator.core.retirement.rooms import Person, Room, register

from .models import User

SEARCHED = 500


def names(lms_user_id: int) -> Iterator[str]:
    """Of his account, and the account itself: his sessions name it. No user name has a space in it."""
    for user in User.objects.filter(lms_user_id=lms_user_id):
        yield from (user.username, user.email, user.get_full_name(), _mark(user.pk))


def erase(person: Person) -> int:
    """Nobody can log in to what is left: a row without a name, for what other rows point at."""
    users = list(User.objects.filter(lms_user_id=person.lms_user_id))
    for user in users:
        with transaction.atomic():
            UserSocialAuth.objects.filter(user=user).delete()
            user.groups.clear()
            user.user_permissions.clear()
            # Few, so without an index. A command's are by an account of the system, which may have the same name.
            acts = OperatorAct.objects.filter(who=user.username).exclude(origin=Dispatch.Origin.COMMAND)
            _forget(user)
            acts.update(who=user.username)
            about_him = LogEntry.objects.filter(
                content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
            )
            about_him.update(object_repr=user.username, change_message="")
    return len(users)


def _forget(user: User) -> None:
    # A name that neither the LMS nor a form allows: nobody will ever be this user.
    user.username = f"retired {user.pk}"
    user.first_name = user.last_name = user.email = ""
    user.password = make_password(None)
    user.is_active = user.is_staff = user.is_superuser = False
    user.lms_user_id = user.last_login = None
    user.save()


def search(people: Sequence[Person], after: str) -> str | None:
    """Sessions hold whose they are in a form that no query can read."""
    rows = list(Session.objects.filter(session_key__gt=after).order_by("session_key")[:SEARCHED])
    gone = [
        row.session_key
        for row in rows
        if any(person.is_called(_mark(row.get_decoded().get("_auth_user_id"))) for person in people)
    ]
    if gone:
        Session.objects.filter(session_key__in=gone).delete()
    return rows[-1].session_key if len(rows) == SEARCHED else None


def _mark(key: object) -> str:
    return f"account {key}"


register(Room(name="accounts", names=names, erase=erase, search=search))
