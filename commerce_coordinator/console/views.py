"""What anybody may see: what this is, and whether it is well."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commerce_coordinator import __version__

from . import health as state


@require_safe
def index(request: HttpRequest) -> JsonResponse:
    """What this is, and where to go next."""
    links = {"health": "/health/", "admin": "/admin/", "api_docs": "/api-docs/"}
    return JsonResponse(
        {
            "service": "Commerce Coordinator",
            "what": "A broker between the systems that sell and the systems that deliver.",
            "version": __version__,
            "links": {name: request.build_absolute_uri(path) for name, path in links.items()},
        },
        json_dumps_params={"indent": 2},
    )


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 or 503 by the database alone: a broker that is down must not take the web nodes out."""
    found = state.look()
    return JsonResponse(found.details, status=200 if found.database else 503, json_dumps_params={"indent": 2})
