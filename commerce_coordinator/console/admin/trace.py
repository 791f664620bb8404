"""The page of a trace: the whole way of an event."""

from django.http import HttpRequest, HttpResponse

from .pages import page, render


@page(path="trace/", title="Trace", place=2)
def trace(request: HttpRequest) -> HttpResponse:
    return render(request, "console/admin/page.html", title="Trace")
