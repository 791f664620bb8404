"""The groups of those who run the service: who is in one may read the record, replay it, or see private values.

They are Django's own groups, so that a superuser sees and changes them in the admin as well. `manage.py grant` makes a
group when it is first given; whoever is in one needs the staff mark too, which the LMS gives.
"""

import dataclasses
from collections.abc import Sequence

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from .admin.pages import READ
from .admin.rights import REPLAY, VIEW_PRIVATE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Right:
    """What a group may. permissions: all of them are needed for it. reads: and what plugins show to readers."""

    group: str
    permissions: Sequence[str]
    reads: bool = False


#: By the word that `manage.py grant` takes.
RIGHTS = {
    "read": Right(group="Readers", permissions=READ, reads=True),
    "replay": Right(group="Operators", permissions=(*READ, REPLAY), reads=True),
    "private": Right(group="Private values", permissions=(VIEW_PRIVATE,)),
}


def shown_by_plugins() -> set[str]:
    """Permissions that apps name as `readers_may` in their AppConfig: to view rows that an operator needs, and in whose
    pages nothing is private.
    """
    return {permission for config in apps.get_app_configs() for permission in getattr(config, "readers_may", ())}


def group_of(right: Right) -> Group:
    """The group, made if it is not there, with all its permissions; what a superuser added to it stays."""
    wanted = Q()
    for permission in (*right.permissions, *(shown_by_plugins() if right.reads else ())):
        app, _, codename = permission.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    group, _ = Group.objects.get_or_create(name=right.group)
    group.permissions.add(*Permission.objects.filter(wanted))
    return group
