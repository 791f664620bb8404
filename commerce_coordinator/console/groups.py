"""The groups of those who run the service: who is in one may read the record, replay it, or see private values.

They are Django's own groups, so that a superuser sees and changes them in the admin as well. `manage.py grant` makes a
group when it is first given; whoever is in one needs the staff mark too, which the LMS gives.
"""

import dataclasses
from collections.abc import Sequence

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from .admin.pages import READ
from .admin.rights import REPLAY, VIEW_PRIVATE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Right:
    """What a group may. permissions: all of them are needed for it."""

    group: str
    permissions: Sequence[str]


#: By the word that `manage.py grant` takes.
RIGHTS = {
    "read": Right(group="Readers", permissions=READ),
    "replay": Right(group="Operators", permissions=(*READ, REPLAY)),
    "private": Right(group="Private values", permissions=(VIEW_PRIVATE,)),
}


def group_of(right: Right) -> Group:
    """The group, made if it is not there, with all its permissions; what a superuser added to it stays."""
    wanted = Q()
    for permission in right.permissions:
        app, _, codename = permission.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    group, _ = Group.objects.get_or_create(name=right.group)
    group.permissions.add(*Permission.objects.filter(wanted))
    return group
