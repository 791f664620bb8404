"""The page of all signals: what each means and carries, who sends it, who gets it by the present map."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.signals import catalogue, contract_fields, routes
from commerce_coordinator.core.signals.graph import short

from .filters import DeliveryReceiver, DispatchSignal
from .pages import may_see, page, render
from .showing import list_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Named:
    """A path or a few words, shortened; `path` is the whole. address: of the list of its rows; empty where none is."""

    text: str
    path: str
    kind: str = ""
    documentation: str = ""
    address: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shown:
    """An entry of the catalogue as the page has it. fields: None where it carries any values."""

    entry: catalogue.Entry
    fields: Sequence[contract_fields.ContractField] | None
    schema: str
    senders: Sequence[Named]
    receivers: Sequence[Named]
    dispatches: str


@page(path="signals/", title="Signals", permissions=["deliveries.view_dispatch"], place=3)
def signals(request: HttpRequest) -> HttpResponse:
    signal_map = routes.read()
    reads_deliveries = may_see(request, ["deliveries.view_delivery"])
    shown = [_shown(each, reads_deliveries) for each in catalogue.entries(signal_map.routes)]
    return render(
        request,
        "console/admin/signals.html",
        title="Signals",
        signals=sorted(shown, key=lambda each: each.entry.short),
        map_hash=signal_map.hash,
    )


def _shown(entry: catalogue.Entry, reads_deliveries: bool) -> Shown:
    return Shown(
        entry=entry,
        fields=None if entry.schema is None else contract_fields.fields_of(entry.schema),
        schema="" if entry.schema is None else json.dumps(entry.schema, indent=2, ensure_ascii=False),
        senders=[_sender(each) for each in entry.senders],
        receivers=list(_receivers(entry.receivers, reads_deliveries)),
        dispatches=list_of(Dispatch, **{str(DispatchSignal.parameter_name): entry.name}),
    )


def _sender(told: str) -> Named:
    """A dotted path, or what the signal says in words."""
    return Named(text=told if " " in told else short(told), path=told)


def _receivers(found: Iterable[Mapping[str, Any]], reads_deliveries: bool) -> Iterable[Named]:
    for each in found:
        path = each["receiver"]
        address = list_of(Delivery, **{str(DeliveryReceiver.parameter_name): path}) if reads_deliveries else ""
        yield Named(
            text=short(path), path=path, kind=each["kind"], documentation=each["documentation"], address=address
        )
