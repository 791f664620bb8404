"""`manage.py grant`: who may read the record, replay it, or see private values, in the admin and through the API."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console.groups import RIGHTS, group_of


class Command(BaseCommand):
    help = (
        "Give an account a right, by a group: read (Readers), replay (Operators, who may read too), or private "
        "(Private values). Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="as the LMS knows it; a service's is that of its OAuth client's user")
        parser.add_argument("right", choices=RIGHTS, help="what the account may do")
        parser.add_argument("--revoke", action="store_true", help="take the right away again")

    def handle(self, *args: Any, **options: Any) -> None:
        username, right = options["username"], RIGHTS[options["right"]]
        user: Any = get_user_model().objects.filter(username=username).first()
        if user is None or user.get_username() != username:  # a database may find another case
            raise CommandError(
                f"No account is named {username!r}. One is made when its owner logs in here, or a service calls, for "
                "the first time: let that come first, if it is answered with 403."
            )
        if options["revoke"]:
            user.groups.remove(group_of(right))
            self.stdout.write(f"{username} is not in the group {right.group} any more.")
            return
        user.groups.add(group_of(right))
        self.stdout.write(f"{username} is in the group {right.group}.")
        if not user.is_staff:
            self.stderr.write(
                "It is no staff account, so the group gives it nothing yet. The LMS says who is staff, at each log-in "
                "and call: mark the account as staff there."
            )
        if not user.is_active:
            self.stderr.write("The account is switched off, so the group gives it nothing.")
