"""What must be answered before anything else of a request is looked at."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .views import health


class HealthMiddleware:
    """Answers /health/ whatever the Host header says: load balancers probe by address, which ALLOWED_HOSTS refuses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return health(request) if request.path_info == "/health/" else self.get_response(request)
