"""What is added to each operation, and what is left as a view says it."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.openapi import add_errors
from commerce_coordinator.core.rest.permissions import IsLearner

from .conftest import Wish


class Wishes(APIView):
    permission_classes = [IsLearner]

    @extend_schema(request=Wish, responses={202: Wish, 409: Wish})
    def post(self, request: Any) -> Response:
        return Response()


class Open(APIView):
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(responses=Wish)
    def get(self, request: Any) -> Response:
        return Response()


def document(urlconf: Any) -> dict[str, Any]:
    return SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)


def test_a_post_may_end_with_each_error_of_a_body(mount: Any, settings: Any) -> None:
    path = mount(Wishes)
    found = document(settings.ROOT_URLCONF)
    operation = found["paths"][path]["post"]
    errors = {"400", "401", "403", "406", "413", "415", "429", "500", "503"}
    assert set(operation["responses"]) == {"202", "409"} | errors
    assert operation["security"] == [{"jwt": []}, {"jwtCookies": []}, {"session": []}]
    assert set(found["components"]["securitySchemes"]) == {"jwt", "jwtCookies", "session"}
    assert operation["responses"]["409"]["content"]["application/json"]["schema"]["$ref"].endswith("/Wish")


def test_what_is_open_tells_of_no_log_in(mount: Any, settings: Any) -> None:
    path = mount(Open)
    operation = document(settings.ROOT_URLCONF)["paths"][path]["get"]
    assert set(operation["responses"]) == {"200", "406", "429", "500", "503"}


def test_a_views_own_word_on_an_error_stays() -> None:
    said = {"description": "Already refunded."}
    result = {"paths": {"/x/": {"get": {"responses": {"503": said}}}}}
    assert add_errors(result)["paths"]["/x/"]["get"]["responses"]["503"] == {
        **said,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
