"""The calls and steps that an attempt keeps, as a tree: below a step hangs what happened inside it."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from commerce_coordinator.core.signals.graph import short
from commerce_coordinator.core.telemetry.masking import mask_text

from .showing import printable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """A call on a far side, or a step of a filter. start: None where it was not kept, or is no time."""

    kind: str
    name: str
    answer: str
    failed: bool
    start: datetime | None
    seconds: float
    facts: Sequence[tuple[str, str]]
    inside: "Sequence[Call]" = ()

    @property
    def end(self) -> datetime | None:
        return self.start + timedelta(seconds=self.seconds) if self.start else None


def calls(kept: Any) -> list[Call]:
    """What an attempt's row holds. Entries of a form that this code does not know (deploys overlap) are left out."""
    return _tree([each for each in kept if isinstance(each, dict)] if isinstance(kept, list) else [])


def count(found: Sequence[Call]) -> int:
    return sum(1 + count(each.inside) for each in found)


def _tree(kept: Sequence[dict[str, Any]]) -> list[Call]:
    found, at = [], 0
    while at < len(kept):
        inside = kept[at].get("inside")
        after = at + 1 + (inside if isinstance(inside, int) and inside > 0 else 0)
        found.append(_call(kept[at], _tree(kept[at + 1 : after])))
        at = after
    return found


def _call(kept: dict[str, Any], inside: list[Call]) -> Call:
    is_step = "step" in kept
    status, error = kept.get("status"), kept.get("error")
    name = short(str(kept["step"])) if is_step else f"{kept.get('method', '')} {kept.get('path', '')}"
    answer = [kept.get("outcome") if is_step else status, error]
    facts = [("filter", kept.get("filter")), ("step", kept.get("step")), ("span id", kept.get("span_id"))]
    return Call(
        kind="step" if is_step else "call",
        name=mask_text(printable(name)),
        answer=" ".join(printable(str(each)) for each in answer if each) or "no answer",
        failed=bool(error) or kept.get("outcome") == "failed" or (isinstance(status, int) and status >= 400),
        start=_moment(kept.get("at")),
        seconds=_seconds(kept.get("ms")),
        facts=[(what, printable(str(value))) for what, value in facts if value],
        inside=inside,
    )


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(milliseconds: Any) -> float:
    return max(0.0, milliseconds / 1000) if isinstance(milliseconds, (int, float)) else 0.0
