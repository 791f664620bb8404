"""The page of the signal map: a picture that the browser draws, and a table of the same."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from commerce_coordinator.console import flow_stats
from commerce_coordinator.core.signals import catalogue, routes
from commerce_coordinator.core.signals.flow_map import with_observed

from .flow.picture import picture
from .flow.table import rows
from .flow.told import Told
from .pages import page, render


@page(path="map/", title="Signal map", place=3)
def signal_map(request: HttpRequest) -> HttpResponse:
    """Who sends each signal and who gets it, as declared and as seen in the last day."""
    now = timezone.now()
    stats = flow_stats.of_last_day(now)
    drawn = with_observed(
        catalogue.drawn(routes.connected()),
        routes=[(signal, receiver, each.kind) for (signal, receiver), each in stats.routes.items()],
        sends=list(stats.sends),
    )
    told = Told(drawn, stats)
    return render(
        request,
        "console/admin/signal_map.html",
        title="Signal map",
        is_nav_sidebar_enabled=False,  # the picture needs the width
        picture=picture(told),
        rows=rows(told),
        attention=told.attention(),
        span=told.span,
        bounded=stats.bounded,
        most=f"{flow_stats.MOST_COUNTED:,}",
    )
