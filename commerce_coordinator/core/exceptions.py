"""Everything that the engine raises. The docstring of a class is its message."""

from collections.abc import Mapping, Sequence
from typing import Any


class CoordinatorError(Exception):
    """The coordinator could not do this."""

    def __init__(self, message: str | None = None, **context: object) -> None:
        super().__init__(message or type(self).__doc__)
        #: Ids for logs; never private values.
        self.context = context


class WrongMap(CoordinatorError):
    """The map of signals or of filters is wrong: nothing starts until it is mended."""

    def __init__(self, mistakes: Sequence[Any]) -> None:
        self.mistakes = list(mistakes)
        lines = [f"{m.id}: {m.msg}\n    HINT: {m.hint}" for m in self.mistakes]
        count = len(lines)
        super().__init__(
            f"The map has {count} mistake{'s' if count > 1 else ''}; nothing starts until it is mended.\n"
            + "\n".join(lines)
        )


class ConnectRefused(CoordinatorError, TypeError):
    """Receivers are connected from CC_SIGNALS alone. Add a route there."""


class SendRefused(CoordinatorError, TypeError):
    """A CoordinatorSignal is sent with send_robust() or asend_robust(): a receiver's failure is not the sender's."""


class DirectCallRefused(CoordinatorError, TypeError):
    """A delivery task is started by sending a signal that is routed to it, never by delay() or apply_async()."""


class InvalidPayload(CoordinatorError, ValueError):
    """The values do not fit the signal's contract. `fields`: place in the payload -> reasons; no values."""

    def __init__(self, message: str | None = None, *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class NotReplayable(CoordinatorError):
    """This cannot be replayed."""


class Retry(CoordinatorError):
    """The attempt failed in a way that may pass. `after`: seconds the far side asked us to wait, or None."""

    def __init__(self, message: str | None = None, *, after: float | None = None, **context: object) -> None:
        super().__init__(message, **context)
        self.after = None if after is None else float(after)


class GiveUp(CoordinatorError):
    """The attempt failed in a way that will not heal by itself: straight to the dead letters."""


class SendingConfined(GiveUp):
    """This process may not record signals by itself (CC_SIGNAL_ORIGINS). Send by send_robust(); replay in the admin."""


class WebhookRefused(CoordinatorError):
    """The request cannot be what the provider sends. Answered with `status`, nothing is stored."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class EventIgnored(CoordinatorError):
    """A true event that is none of our business: kept, answered 200, no signal."""


class EventNotUnderstood(CoordinatorError):
    """Ours, but no payload can be built of it. The reason names fields, never values."""


class StepReturnedNoDict(CoordinatorError, TypeError):
    """A step of a filter must return a dict; {} adds nothing."""
