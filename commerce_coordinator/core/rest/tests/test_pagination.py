"""Lists come in pages; a page that is not there is an error in the envelope."""

from typing import Any

import pytest
from django.test import Client
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny


class Number(serializers.BaseSerializer):
    def to_representation(self, instance: int) -> int:
        return instance


class Numbers(ListAPIView):
    permission_classes = [AllowAny]
    serializer_class = Number

    def get_queryset(self) -> Any:
        return list(range(250))


def test_a_list_comes_in_pages_of_twenty(mount: Any, client: Client) -> None:
    first = client.get(mount(Numbers)).json()
    assert (first["count"], first["previous"], first["results"]) == (250, None, list(range(20)))
    second = client.get(first["next"]).json()
    assert second["results"] == list(range(20, 40))
    assert second["previous"] == "http://testserver/t/"


@pytest.mark.parametrize(("size", "shown"), [("1", 1), ("100", 100), ("101", 100), ("9999999999", 100)])
def test_a_page_is_as_large_as_wished_up_to_a_hundred(mount: Any, client: Client, size: str, shown: int) -> None:
    assert len(client.get(mount(Numbers), {"page_size": size}).json()["results"]) == shown


@pytest.mark.parametrize("page", ["0", "-1", "14", "x", "last", "1.5", "9" * 5000, "\x00", ""])
def test_a_page_that_is_not_there_is_404(mount: Any, client: Client, page: str) -> None:
    response = client.get(mount(Numbers), {"page": page})
    if page == "":
        assert response.status_code == 200, "no page named: the first"
        return
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "9" * 5000])
def test_a_size_that_is_no_size_is_400(mount: Any, client: Client, size: str) -> None:
    response = client.get(mount(Numbers), {"page_size": size})
    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == ["page_size"]
