"""`manage.py provision_stand_in`: the OAuth clients that a real LMS would be given by hand."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from commerce_coordinator.plugins.demo_lms.models import StandInClient

SSO_CLIENT = "commerce-coordinator-sso"


class Command(BaseCommand):
    help = (
        "Give the stand-in LMS its OAuth clients: one for log-in (SSO), one for this service's own calls "
        "(CC_LMS_CLIENT_ID, CC_LMS_CLIENT_SECRET). It may run any number of times: what is right already is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sso-secret",
            default="commerce-coordinator-sso-secret",
            help=f"The secret of the client {SSO_CLIENT} (default: %(default)s).",
        )

    def handle(self, *args: Any, sso_secret: str, verbosity: int, **options: Any) -> None:
        wanted = {SSO_CLIENT: sso_secret, settings.CC_LMS_CLIENT_ID: settings.CC_LMS_CLIENT_SECRET}
        for name in ("CC_LMS_CLIENT_ID", "CC_LMS_CLIENT_SECRET"):
            if not getattr(settings, name):
                raise CommandError(f"{name} is not set: the stand-in cannot know the service's own client.")
        if not sso_secret:
            raise CommandError("--sso-secret is empty: a client needs a secret.")
        try:
            with transaction.atomic():
                done = [f"{client_id} {_provide(client_id, secret)}" for client_id, secret in wanted.items()]
        except DatabaseError as error:
            raise CommandError(f"No tables to write to: run `manage.py migrate` first. ({error})") from None
        if verbosity:
            self.stdout.write(f"OAuth clients of the stand-in LMS: {', '.join(done)}.")


def _provide(client_id: str, secret: str) -> str:
    """Make the client's row right; what was done, in one word."""
    client = StandInClient.objects.filter(client_id=client_id).first()
    if client is not None and client.has_secret(secret):
        return "kept"
    done = "updated" if client else "created"
    client = client or StandInClient(client_id=client_id)
    client.set_secret(secret)
    client.save()
    return done
