"""List filters on indexed columns. Their choices come from the code, never from a DISTINCT over the table."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest
from django.utils import timezone

from commerce_coordinator.console import receiver_names
from commerce_coordinator.console.indexes import off_index
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.ids import first_at
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import WebhookView
from commerce_coordinator.core.signals import registry

from . import paging

Choices = list[tuple[str, str]]


class _StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states: ClassVar[type[TextChoices]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(state), str(state)) for state in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class EventState(_StateFilter):
    states = InboxEvent.State


class DeliveryState(_StateFilter):
    states = Delivery.State

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == Delivery.State.SUCCEEDED and request.GET.get(DeliveryReceiver.parameter_name):
            # Nearly all rows succeeded, so the receiver's index is the one that finds them.
            return queryset.filter(off_index("state", Delivery.State.SUCCEEDED))
        return super().queryset(request, queryset)


class DeliveryReceiver(admin.SimpleListFilter):
    title = "receiver"
    parameter_name = "receiver"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return _by_short_name(receiver_names.known())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        path = self.value()
        if not path:
            return queryset
        if request.GET.get(DeliveryState.parameter_name, Delivery.State.SUCCEEDED) != Delivery.State.SUCCEEDED:
            # All other states are rare, so the state's index is the one that finds them.
            return queryset.filter(off_index("receiver", path))
        return queryset.filter(receiver=path)


class DispatchSignal(admin.SimpleListFilter):
    """Among the newest ones only: no index goes by signal and then by age, so a rare one would be sought for long."""

    parameter_name = "signal"

    def __init__(self, *args: Any) -> None:
        self.title = f"signal (of the newest {paging.MOST_COUNTED:,})"
        super().__init__(*args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return _by_short_name(registry.by_name())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        if not name:
            return queryset
        newest = Dispatch.objects.order_by("-pk").values_list("pk", flat=True)
        for oldest in newest[paging.MOST_COUNTED - 1 : paging.MOST_COUNTED]:
            queryset = queryset.filter(pk__gte=oldest)
        return queryset.filter(off_index("signal", name))


class EventProvider(admin.SimpleListFilter):
    """Among the newest ones only, as with signals: no index goes by provider and then by age."""

    parameter_name = "provider"

    def __init__(self, *args: Any) -> None:
        self.title = f"provider (of the newest {paging.MOST_COUNTED:,})"
        super().__init__(*args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, name) for name in sorted(WebhookView.by_provider)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        if not name:
            return queryset
        newest = InboxEvent.objects.order_by("-pk").values_list("pk", flat=True)
        for oldest in newest[paging.MOST_COUNTED - 1 : paging.MOST_COUNTED]:
            queryset = queryset.filter(pk__gte=oldest)
        return queryset.filter(off_index("provider", name))


class Since(admin.SimpleListFilter):
    """By the key, in which the time stands."""

    title = "age"
    parameter_name = "since"
    ages: ClassVar[dict[str, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, f"last {name}") for name in self.ages]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = self.ages.get(self.value() or "")
        return queryset.filter(pk__gte=first_at(timezone.now() - age)) if age else queryset


class DispatchUnrouted(admin.SimpleListFilter):
    title = "routing"
    parameter_name = "unrouted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("1", "unrouted: nobody received it")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        # `unrouted=True` becomes a bare `WHERE unrouted`, for which SQLite uses no index.
        return queryset.filter(unrouted__in=[True]) if self.value() == "1" else queryset


def _by_short_name(paths: Iterable[str]) -> Choices:
    """Paths by their last part; by the whole where two share it."""
    paths = list(paths)
    short = [path.rpartition(".")[2] for path in paths]
    named = [(path, name if short.count(name) == 1 else path) for path, name in zip(paths, short, strict=True)]
    return sorted(named, key=lambda choice: choice[1])
