"""Who may call. Every endpoint takes one of these; staff only is the default.

    permission_classes = [IsLearner]

A JWT of a restricted application (the LMS's word for a client that acts with fewer rights than its user) passes none.
"""

from typing import Any

from edx_rest_framework_extensions.permissions import NotJwtRestrictedApplication
from rest_framework.request import Request


class IsLearner(NotJwtRestrictedApplication):
    """Anybody who is logged in: a learner, an operator or a service. What is his, the view must decide."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_authenticated and user.is_active) and super().has_permission(request, view)


class IsStaff(IsLearner):
    """Operators, and the services that call with a staff JWT."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(getattr(request.user, "is_staff", False)) and super().has_permission(request, view)
