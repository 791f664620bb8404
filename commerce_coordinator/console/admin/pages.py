"""Pages of our own in the admin: a function with `@page`, a template that extends console/admin/page.html.

    @page(path="dead-letters/", title="Dead letters", place=1)
    def dead_letters(request):
        return render(request, "console/admin/dead_letters.html", title="Dead letters", letters=...)

It is then at /admin/dead-letters/, by the name `console:dead_letters`, and in the navigation of whoever may see it. Its
module is named in urls.py.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

#: What it takes to read the record of the flow.
READ = ("inbox.view_inboxevent", "deliveries.view_dispatch", "deliveries.view_delivery", "deliveries.view_attempt")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """One page. permissions: all of them are needed. place: where in the navigation it stands; None: not there."""

    name: str
    path: str
    title: str
    permissions: Sequence[str]
    place: int | None
    view: Callable[..., HttpResponse]

    @property
    def address(self) -> str:
        return reverse(f"console:{self.name}")


_pages: dict[str, Page] = {}


def page(
    *, path: str, title: str, permissions: Sequence[str] = READ, place: int | None = None
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Make a view a page of the admin, for staff with these permissions; whoever is not logged in is sent to do so."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may_see(request, permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        name = view.__name__
        _pages[name] = Page(
            name=name,
            path=path,
            title=title,
            permissions=permissions,
            place=place,
            view=_in_admin(allowed),
        )
        return allowed

    return decorate


def may_see(request: HttpRequest, permissions: Sequence[str]) -> bool:
    user: Any = request.user
    return all(user.has_perm(permission) for permission in permissions)


def navigation(request: HttpRequest) -> list[Page]:
    """The pages that this user may see, as far as they have a place there, in its order."""
    seen = [(each.place, each) for each in _pages.values() if each.place and may_see(request, each.permissions)]
    return [each for _, each in sorted(seen, key=lambda pair: pair[0])]


def url_patterns() -> list[URLPattern]:
    return [path(each.path, each.view, name=each.name) for each in _pages.values()]


def render(request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
    """A page with the admin's own frame around it."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})


def _in_admin(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Log-in and no caching, as for any page of the admin."""
    wrapped: Callable[..., HttpResponse] = admin.site.admin_view(view)
    return wrapped
