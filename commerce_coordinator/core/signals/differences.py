"""What another map would change: route by route, and in words what no longer follows. Pure functions over routes."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.pipelines import Pipeline

from . import documentation
from .graph import sends_of, short

Routes = Mapping[str, Sequence[Route]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """Of one signal: receivers that it gets, and that it loses; and those further on that no longer run after it."""

    signal: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    is_new: bool = False
    is_gone: bool = False


def changes(before: Routes, after: Routes) -> list[Change]:
    """One for each signal whose receivers differ, sorted by name. An order of receivers is no difference."""
    return [change for name in sorted({*before, *after}) if (change := _change(name, before, after))]


def in_words(change: Change) -> Iterator[str]:
    """Lines for people: what is routed otherwise, and what that means."""
    state = "  (new in the map)" if change.is_new else "  (no longer in the map)" if change.is_gone else ""
    yield short(change.signal) + state
    for path in change.removed:
        yield f"  - {short(path)}"
    for path in change.added:
        yield f"  + {short(path)}"
    for path in change.removed:
        yield f"  {short(change.signal)} will no longer {_deed(path)}."
    if further := [path for path in change.lost if path not in change.removed]:
        yield f"  Nor does this follow from it any more: {', '.join(map(short, further))}."
    for path in change.added:
        yield f"  {short(change.signal)} will {_deed(path)}."


def follows(signal: str, routes: Routes) -> list[str]:
    """All receivers that run because of it, its own first, by what the delivery tasks declare to send."""
    found: dict[str, None] = {}
    waiting, seen = [signal], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for route in routes.get(name, ()):
            found[route.receiver] = None
            waiting += sends_of(route.receiver)
    return list(found)


def _change(name: str, before: Routes, after: Routes) -> Change | None:
    was = [route.receiver for route in before.get(name, ())]
    will = [route.receiver for route in after.get(name, ())]
    added = tuple(path for path in will if path not in was)
    removed = tuple(path for path in was if path not in will)
    is_new, is_gone = name not in before, name not in after
    if not (added or removed or is_new or is_gone):
        return None
    still = set(follows(name, after))
    lost = tuple(path for path in follows(name, before) if path not in still)
    return Change(signal=name, added=added, removed=removed, lost=lost, is_new=is_new, is_gone=is_gone)


def _deed(path: str) -> str:
    """`place order: Place the order of a payment`."""
    name = path.rpartition(".")[2].replace("_", " ")
    told = documentation.of_receiver(path)
    return f"{name} ({told.rstrip('.')})" if told else name


def pipeline_changes(before: Mapping[str, Pipeline], after: Mapping[str, Pipeline]) -> list[str]:
    """Lines for people: of each filter whose steps differ, those that go and those that come. Their order counts."""
    found: list[str] = []
    for name in sorted({*before, *after}):
        was, will = (each[name].paths if name in each else [] for each in (before, after))
        if was == will:
            continue
        found.append(name)
        found += [f"  - {short(path)}" for path in was if path not in will]
        found += [f"  + {short(path)}" for path in will if path not in was]
        if sorted(was) == sorted(will):
            found.append(f"  asked in another order: {', '.join(map(short, will))}")
        elif not will:
            found.append("  Nobody will answer it.")
    return found
