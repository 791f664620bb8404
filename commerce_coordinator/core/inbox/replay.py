"""Read a kept event again, or set it aside, by a person's act."""

from django.db import IntegrityError

from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.deliveries.acts import NOBODY, By, write_down
from commerce_coordinator.core.deliveries.dispatch import Recorded
from commerce_coordinator.core.deliveries.models import OperatorAct
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.telemetry.attributes import EVENT_STATE, EVENT_TYPE
from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.transactions import atomically

from .models import InboxEvent
from .webhooks import WebhookView, interpret

State = InboxEvent.State

#: How the reason of such an event begins.
ASIDE = "Set aside by an operator."
Kind = OperatorAct.Kind


def replay_event(row: InboxEvent, *, by: By = NOBODY) -> InboxEvent:
    """Interpret a failed or ignored event again, from its stored bytes, after a fix. Returns the row as it is now.

    Ignored ones too: a wrong setting can make us take our own payments for somebody else's. The act is written down,
    also where the event fails again. Raises NotReplayable, with the reason.
    """
    refuse_unless_replayable(row)
    view = WebhookView.by_provider[row.provider]()
    with span("event replay", trace_id=row.trace_id, event=row.pk) as step:
        outcome = interpret(view, view.parse(bytes(row.raw_body or b"")), row.account)

        def act() -> list[Recorded]:
            _change(row, state=outcome.state, reason=outcome.reason)
            recorded = outcome.record(row)
            write_down(Kind.REPLAYED, by, event=row)
            return recorded

        try:
            recorded = atomically(act)
        except IntegrityError:  # another has just sent the same fact: it is found now
            recorded = atomically(act)
        for each in recorded:
            inline.run(each)
        step.note({EVENT_TYPE: row.event_type, EVENT_STATE: outcome.state})
    row.refresh_from_db()
    return row


def refuse_unless_replayable(row: InboxEvent) -> None:
    """Raises NotReplayable, with the reason. Touches no database."""
    if row.state == State.SENT:
        raise NotReplayable(f"Event {row.event_id} is sent; only failed and ignored events are replayed.")
    if not row.body_kept:
        raise NotReplayable(f"Event {row.event_id} has no body any more: retention or a retirement has emptied it.")
    if row.provider not in WebhookView.by_provider:
        raise NotReplayable(f"No installed plugin takes events of {row.provider}.")


def set_aside(row: InboxEvent, *, by: By = NOBODY) -> InboxEvent:
    """Ignore a failed event: nothing shall come of it, and it leaves the dead letters. A replay takes that back.

    Raises NotReplayable where it has not failed.
    """
    if row.state != State.FAILED:
        raise NotReplayable(f"Event {row.event_id} is {row.state}: only failed ones are set aside.")
    reason = f"{ASIDE} It had failed with: {row.reason}"

    def act() -> None:
        _change(row, state=State.IGNORED, reason=reason[:255])
        write_down(Kind.SET_ASIDE, by, event=row)

    atomically(act)
    row.refresh_from_db()
    return row


def _change(row: InboxEvent, **changes: str) -> None:
    if not InboxEvent.objects.filter(pk=row.pk, state=row.state).update(**changes):
        raise NotReplayable(f"Event {row.event_id} was changed by another just now.")
