"""What another map would change: route by route, and in words what no longer follows. Pure functions over routes."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.pipelines import Pipeline

from . import documentation, registry
from .graph import sends_of, short

Routes = Mapping[str, Sequence[Route]]
Pipelines = Mapping[str, Pipeline]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """Of one signal. `lost`, `gained`: receivers further on that no longer run after it, or do now.

    `sources`: the signals that lead to it by what delivery tasks declare to send, and which nobody sends on: there it
    is felt. `waits`: nobody gets it any more, and each sending waits in front of an operator.
    """

    signal: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    is_new: bool = False
    is_gone: bool = False
    waits: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterChange:
    """Of one filter. `order`: its steps as they would be asked; `values`: names of the further keys that differ."""

    filter: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    is_reordered: bool = False
    values: tuple[str, ...] = ()


def changes(before: Routes, after: Routes) -> list[Change]:
    """One for each signal whose receivers differ, sorted by name. An order of receivers is no difference."""
    return [change for name in sorted({*before, *after}) if (change := _change(name, before, after))]


def in_words(change: Change) -> Iterator[str]:
    """Lines for people: what is routed otherwise, and what that means."""
    name = short(change.signal)
    yield name + ("  (new in the map)" if change.is_new else "  (no longer in the map)" if change.is_gone else "")
    yield from (f"  - {short(path)}" for path in change.removed)
    yield from (f"  + {short(path)}" for path in change.added)
    yield from (f"  {name} will no longer {_deed(path)}." for path in change.removed)
    if change.waits:
        yield "  Nobody will get it: each sending will wait as unrouted, in front of an operator."
    if change.lost:
        yield f"  Nor does this follow from it any more: {_listed(change.lost)}."
    yield from (f"  {name} will {_deed(path)}." for path in change.added)
    if change.gained:
        yield f"  And this will follow from it: {_listed(change.gained)}."
    if change.sources:
        yield f"  It is felt by what leads to it: {_listed(change.sources)}."


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
    once, now = follows(name, before), follows(name, after)
    signal = registry.by_name().get(name)
    return Change(
        signal=name,
        added=added,
        removed=removed,
        lost=tuple(path for path in once if path not in {*now, *removed}),
        gained=tuple(path for path in now if path not in {*once, *added}),
        sources=tuple(_sources(name, after)),
        is_new=is_new,
        is_gone=is_gone,
        waits=not (will or is_gone) and signal is not None and signal.needs_receiver,
    )


def _sources(name: str, routes: Routes) -> list[str]:
    """The signals from which it follows, and which no receiver sends on."""
    sent_by: dict[str, set[str]] = {}
    for signal, each in routes.items():
        for sent in (sent for route in each for sent in sends_of(route.receiver)):
            sent_by.setdefault(sent, set()).add(signal)
    waiting, above = [name], set[str]()
    while waiting:
        new = sent_by.get(waiting.pop(), set()) - above
        above |= new
        waiting += new
    return sorted(each for each in above - {name} if each not in sent_by)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(map(short, paths))


def _deed(path: str) -> str:
    """`place order (Place the order of a payment)`."""
    name = path.rpartition(".")[2].replace("_", " ")
    told = documentation.of_receiver(path)
    return f"{name} ({told.rstrip('.')})" if told else name


def filter_changes(before: Pipelines, after: Pipelines) -> list[FilterChange]:
    """One for each filter whose steps, their order or further keys differ, sorted by type."""
    return [change for name in sorted({*before, *after}) if (change := _filter_change(name, before, after))]


def filter_in_words(change: FilterChange) -> Iterator[str]:
    """Lines for people: of a filter, which steps go and come, in which order they are asked, and what it asks."""
    yield change.filter
    if question := documentation.of_filter(change.filter):
        yield f'  "{question}"'
    yield from (f"  - {short(path)}" for path in change.removed)
    yield from (f"  + {short(path)}" for path in change.added)
    if not change.order:
        yield "  Nobody will answer it."
    elif change.is_reordered or (change.added and len(change.order) > 1):
        yield f"  asked in this order: {_listed(change.order)}"
    if change.values:
        yield f"  Its steps will be given another {', '.join(change.values)}."


def _filter_change(name: str, before: Pipelines, after: Pipelines) -> FilterChange | None:
    was, will = (tuple(each[name].paths) if name in each else () for each in (before, after))
    once, now = (dict(each[name].extra) if name in each else {} for each in (before, after))
    values = tuple(sorted(key for key in {*once, *now} if once.get(key) != now.get(key)))
    if was == will and not values and (name in before) == (name in after):
        return None
    return FilterChange(
        filter=name,
        added=tuple(path for path in will if path not in was),
        removed=tuple(path for path in was if path not in will),
        order=will,
        is_reordered=[path for path in was if path in will] != [path for path in will if path in was],
        values=values,
    )
