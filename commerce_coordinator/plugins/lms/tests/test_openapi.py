"""The OpenAPI document says of each endpoint what it answers, and what it takes."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

ANSWERS = {
    ("/lms/payment_page_redirect/", "get"): {"302", "303", "401", "403", "429", "503"},
    ("/lms/order_details_page_redirect/", "get"): {"302", "303", "400", "401", "403", "429", "503"},
    ("/lms/refund/", "post"): {"200", "400", "401", "403", "404", "413", "415", "429", "503"},
    ("/lms/user_retirement/", "post"): {"204", "400", "401", "403", "413", "415", "429", "503"},
    ("/lms/enrollment/", "post"): {"202", "400", "401", "403", "409", "413", "415", "429", "503"},
}


@pytest.fixture(scope="module")
def document() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.mark.parametrize(("path", "method"), ANSWERS)
def test_each_answer_is_documented(document: Any, path: str, method: str) -> None:
    # What every endpoint may answer besides, the document says of all of them.
    assert set(document["paths"][path][method]["responses"]) >= ANSWERS[path, method]


def test_every_endpoint_of_this_plugin_is_in_the_table(document: Any) -> None:
    found = {
        (path, method) for path, entry in document["paths"].items() if path.startswith("/lms/") for method in entry
    }
    assert found == set(ANSWERS)


def test_refund_takes_one_of_two_bodies(document: Any) -> None:
    content = document["paths"]["/lms/refund/"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    kinds = [each["$ref"].rpartition("/")[2] for each in document["components"]["schemas"][name]["oneOf"]]
    required = [set(document["components"]["schemas"][kind]["required"]) for kind in kinds]
    assert required == [
        {"course_id", "username", "enrollment_attributes"},
        {"entitlement_uuid", "username", "order_number"},
    ]
