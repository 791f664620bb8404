"""`manage.py replay`: run dead deliveries and failed events again."""

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import replay_event


class Command(BaseCommand):
    help = (
        "Run dead deliveries again, with the same payload and a fresh budget of attempts; or failed events, from "
        "their stored bytes. What an earlier try did is not done twice, unless --force. "
        "Exit code 1 when one was not replayed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="+", metavar="id", help="ids of deliveries or failed events")
        parser.add_argument(
            "--force", action="store_true", help="succeeded deliveries too, under a new idempotency key: do it again"
        )
        parser.add_argument("--json", action="store_true", help="for programs: a list of {id, replayed, message}")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = [self._replay(reference, force=options["force"]) for reference in options["ids"]]
        if options["json"]:
            self.stdout.write(json.dumps(outcomes, indent=2))
        else:
            for each in outcomes:
                self.stdout.write(f"{each['id']}: {each['message']}")
        refused = sum(not each["replayed"] for each in outcomes)
        if refused:
            raise CommandError(f"{refused} of {len(outcomes)} not replayed.")

    def _replay(self, reference: str, *, force: bool) -> dict[str, Any]:
        try:
            message = _replay_one(reference, force=force)
        except CoordinatorError as refusal:
            return {"id": reference, "replayed": False, "message": str(refusal)}
        return {"id": reference, "replayed": True, "message": message}


def _replay_one(reference: str, *, force: bool) -> str:
    try:
        key: uuid.UUID | None = uuid.UUID(reference)
    except ValueError:
        key = None
    delivery = Delivery.objects.select_related("dispatch").filter(pk=key).first() if key else None
    if delivery is not None:
        return f"due again, as replay {replay(delivery, force=force).generation}"
    named = InboxEvent.objects.filter(Q(event_id=reference) | Q(pk=key) if key else Q(event_id=reference))
    # An event id is unique within one account only: of several, the one that failed is meant.
    event = next((each for each in named if each.state == InboxEvent.State.FAILED), None) or named.first()
    if event is not None:
        row = replay_event(event)
        if row.state == InboxEvent.State.FAILED:
            raise CoordinatorError(f"still failed: {row.reason}")
        return f"{row.state}" + (f": {row.reason}" if row.reason else "")
    raise CoordinatorError("No delivery and no event has this id. `manage.py deliveries --state dead` lists ids.")
