"""`manage.py replay`: run dead deliveries, failed events and unrouted dispatches again, by id or by filter."""

import getpass
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from commerce_coordinator.console import acting, dead_letters
from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.inbox.models import InboxEvent


class Command(BaseCommand):
    help = (
        "Run dead deliveries again, with the same payload and a fresh budget of attempts; failed events, from their "
        "stored bytes; unrouted dispatches, by the map of today. What an earlier try did is not done twice, unless "
        "--force. Who did it, when and why is kept. Exit code 1 when one was not replayed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="id", help="ids of deliveries, dispatches or events")
        parser.add_argument(
            "--filter",
            nargs="*",
            default=None,
            metavar="NAME=VALUE",
            help="instead of ids: all dead letters, or all that match, such as receiver=lms.enroll_learner error=Retry "
            f"since=24h. Names: {', '.join(name for name in dead_letters.NAMES if name != 'ended_by')}",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")
        parser.add_argument(
            "--force", action="store_true", help="succeeded deliveries too, under a new idempotency key: do it again"
        )
        parser.add_argument("--set-aside", action="store_true", help="instead: nothing more shall come of them")
        parser.add_argument("--why", default="", help="kept with your name and the time")
        parser.add_argument("--json", action="store_true", help="for programs: a list of {id, replayed, message}")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["ids"]) == (options["filter"] is not None):
            raise CommandError("Give ids, or --filter NAME=VALUE ...; one of the two.")
        if options["filter"] is not None and options["force"]:
            raise CommandError("--force goes with ids: a filter finds dead letters, and none of them succeeded.")
        outcomes = list(self._outcomes(options))
        if options["json"]:
            self.stdout.write(json.dumps(outcomes, indent=2))
        else:
            for each in outcomes:
                self.stdout.write(f"{each['id']}: {each['message']}")
        refused = sum(not each["replayed"] for each in outcomes)
        if options["dry_run"]:
            self.stderr.write(f"Nothing was done. {len(outcomes) - refused} of {len(outcomes)} would be.")
        elif refused:
            raise CommandError(
                f"{refused} of {len(outcomes)} not {'set aside' if options['set_aside'] else 'replayed'}."
            )
        elif not outcomes:
            self.stderr.write("No dead letter matches.")

    def _outcomes(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        by = By(who=_account(), why=options["why"], origin="command")
        for reference, row in self._rows(options):
            try:
                if row is None:
                    row = acting.named(reference)
                message = _do(row, options, by)
            except CoordinatorError as refusal:
                yield {"id": reference, "replayed": False, "message": str(refusal)}
            else:
                yield {"id": reference, "replayed": True, "message": message}

    def _rows(self, options: dict[str, Any]) -> Iterator[tuple[str, acting.Row | None]]:
        """(reference, row, where it is known already)."""
        if options["filter"] is None:
            for reference in options["ids"]:
                yield reference, None
            return
        try:
            # What dies again while this runs is not replayed for ever.
            wanted = dead_letters.Filter.read({"ended_by": timezone.now().isoformat(), **_pairs(options["filter"])})
        except CoordinatorError as error:
            raise CommandError(str(error)) from None
        counts: Counter[dead_letters.Group] = Counter()
        for row in dead_letters.every(wanted):
            counts[dead_letters.group_of(row)] += 1
            yield str(row.pk), row
        if options["dry_run"]:
            for (kind, what, why), count in counts.most_common():
                self.stderr.write(f"{count} × {kind} {what}{f' ({why})' if why else ''}")


def _do(row: acting.Row, options: dict[str, Any], by: By) -> str:
    """The act, or what it would be; in words. Raises CoordinatorError for a refusal."""
    if options["set_aside"]:
        if options["dry_run"] and not acting.can_be_set_aside(row):
            raise CoordinatorError("It is no dead letter: nothing to set aside.")
        return "It would be set aside." if options["dry_run"] else acting.set_aside(row, by=by)
    if not options["dry_run"]:
        told = acting.replay(row, by=by, force=options["force"])
        if isinstance(row, InboxEvent) and row.state == InboxEvent.State.FAILED:
            raise CoordinatorError(f"still failed: {row.reason}")
        return told
    plan = acting.plan(row)
    if plan.act == "again" or (plan.act == "force" and options["force"]):
        return f"{plan.about}: {plan.says}"
    raise CoordinatorError(f"{plan.about}: {plan.says}" if plan.act != "force" else f"{plan.says} That takes --force.")


def _pairs(told: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in told:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise CoordinatorError(
                f"--filter takes NAME=VALUE, and {text!r} is none. Such as receiver=lms.enroll_learner."
            )
        if name in found:
            raise CoordinatorError(f"--filter has {name} twice.")
        found[name] = value
    return found


def _account() -> str:
    """The system's account; a container may have none by name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
