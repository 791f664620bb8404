"""Who may read the record through the API, and who may replay: staff and services, by the rights of the admin."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request

from commerce_coordinator.console.groups import RIGHTS
from commerce_coordinator.core.rest.permissions import IsStaff


class _HasRight(IsStaff):
    right: str

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        self.message = f"This account lacks the right to do so. `manage.py grant USERNAME {self.right}` gives it."
        permissions: Sequence[str] = RIGHTS[self.right].permissions
        return bool(request.user.has_perms(permissions))


class MayRead(_HasRight):
    """The record: events, dispatches, deliveries, dead letters, traces. Private values take a right of their own."""

    right = "read"


class MayReplay(_HasRight):
    """Replay and set aside. Whoever does that must be able to read too."""

    right = "replay"
