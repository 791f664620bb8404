"""A learner sees his own orders and nobody else's, whatever he tries; staff name whom they mean."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from commerce_coordinator.core.rest.testing import as_user

from .steps_for_tests import ASKED, order

pytestmark = pytest.mark.django_db

URL = "/orders/order_history/"
AMINA = {"lms_user_id": 7}
BO = {"lms_user_id": 8}


def get(client: Client, query: str = "", user: str = "amina", **claims: Any) -> Any:
    return client.get(f"{URL}{query}", headers=as_user(user, **(claims or AMINA)))


def numbers(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["number"] for each in response.json()["results"]]


def test_nobody_is_shown_nothing(client: Client) -> None:
    assert client.get(URL).status_code == 401
    assert ASKED == []


FORBIDDEN = [
    "username=bo",
    "username=amina&username=bo",
    "username=bo&username=amina",
    "username=&username=bo",
    "username=Amina",
    "username=AMINA",
    "username=amina ",
    "username= amina",
    "username=amina\t",
    "username=amina\0",
    "username=a%25",
    "username=*",
    "username=%",
    "username=amina,bo",
    "username=аmina",  # a Cyrillic one  # noqa: RUF001
    "username=ámina",
    "username=amin\u0061\u0301",
    "username=ａmina",  # full width  # noqa: RUF001
    "username=bo&is_staff=true",
    "username=bo&administrator=1&staff=1",
    "username=bo&page=x",
    "username[]=amina&username=bo",
]


@pytest.mark.parametrize("query", FORBIDDEN)
def test_learner_who_names_another_is_refused(client: Client, stock: dict[str, Any], query: str) -> None:
    stock["first"] = {"bo": [order("BO-1")], "amina": [order("AMINA-1")]}
    get(client, user="bo", **BO)
    ASKED.clear()
    response = get(client, "?" + quote(query, safe="=&%[]"))
    assert (response.status_code, response.json()["error"]["code"]) == (403, "permission_denied")
    assert ASKED == []
    assert "BO-1" not in response.content.decode()


IGNORED = [
    "",
    "username=amina",
    "username=amina&username=amina",
    "username=",
    "lms_user_id=8",
    "user_id=8&user=bo",
    "Username=bo",
    "USERNAME=bo",
    "username[]=bo",
    "usernames=bo",
    "username%20=bo",
    "preferred_username=bo",
    "is_staff=true&staff=1&administrator=true&superuser=true",
    "orders=BO-1&gaps=x",
    "edx_lms_user_id=8&email=bo@example.com",
]


@pytest.mark.parametrize("query", IGNORED)
def test_learner_sees_his_own_orders_whatever_else_he_adds(client: Client, stock: dict[str, Any], query: str) -> None:
    stock["first"] = {"bo": [order("BO-1")], "amina": [order("AMINA-1")]}
    assert numbers(get(client, f"?{query}")) == ["AMINA-1"]
    assert ASKED == [("first", "amina", 7), ("second", "amina", 7)]


@pytest.mark.parametrize("header", ["X-Username", "X-Forwarded-User", "Remote-User", "X-HTTP-Method-Override"])
def test_learner_is_who_his_token_says_and_no_other_header(client: Client, stock: dict[str, Any], header: str) -> None:
    stock["first"] = {"bo": [order("BO-1")], "amina": [order("AMINA-1")]}
    response = client.get(URL, headers={**as_user("amina", **AMINA), header: "bo"})
    assert numbers(response) == ["AMINA-1"]


def test_a_body_names_nobody(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"bo": [order("BO-1")]}
    response = client.generic(
        "GET", URL, b'{"username": "bo"}', content_type="application/json", headers=as_user("amina", **AMINA)
    )
    assert numbers(response) == []


def test_what_was_kept_for_one_is_not_shown_to_another(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"bo": [order("BO-1")], "amina": [order("AMINA-1")]}
    assert numbers(get(client)) == ["AMINA-1"]
    assert numbers(get(client, user="bo", **BO)) == ["BO-1"]


@pytest.mark.database
@pytest.mark.parametrize("name", ["AMINA", "ámina", "amina "])
def test_learner_with_nearly_the_same_name_does_not_see_hers(client: Client, stock: dict[str, Any], name: str) -> None:
    """MySQL would take the one for the other when the bearer of a JWT is looked up."""
    stock["first"] = {"amina": [order("AMINA-1")]}
    assert numbers(get(client)) == ["AMINA-1"]
    response = get(client, user=name, lms_user_id=8)
    assert response.status_code == 401 or numbers(response) == []
    assert numbers(get(client)) == ["AMINA-1"]


def test_account_of_this_service_alone_has_no_history(client: Client, django_user_model: Any, stock: Any) -> None:
    """A learner of the LMS may have the same name."""
    stock["first"] = {"amina": [order("AMINA-1")]}
    client.force_login(django_user_model.objects.create_user("amina"))
    assert client.get(URL).status_code == 403


def test_staff_may_name_a_learner(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"bo": [order("BO-1")]}
    get(client, user="bo", **BO)
    ASKED.clear()
    response = get(client, "?username=bo", user="support", lms_user_id=1, staff=True)
    assert numbers(response) == ["BO-1"]
    # As the learner himself just now: kept for him, and so for whoever may see it.
    assert ASKED == []


def test_staff_may_name_a_learner_who_never_was_here(client: Client, stock: dict[str, Any]) -> None:
    stock["second"] = {"far": [order("FAR-1")]}
    assert numbers(get(client, "?username=far", user="support", lms_user_id=1, staff=True)) == ["FAR-1"]
    assert ASKED[0] == ("first", "far", None)


@pytest.mark.database
def test_staff_name_a_learner_letter_by_letter(client: Client, stock: dict[str, Any]) -> None:
    get(client)
    ASKED.clear()
    get(client, "?username=AMINA", user="support", lms_user_id=1, staff=True)
    assert ASKED[0] == ("first", "AMINA", None)


@pytest.mark.parametrize("query", ["username=amina&username=bo", "username=" + "a" * 256, "username=a%00"])
def test_staff_who_name_nobody_in_particular_are_told(client: Client, query: str) -> None:
    response = get(client, f"?{query}", user="support", lms_user_id=1, staff=True)
    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == ["username"]
