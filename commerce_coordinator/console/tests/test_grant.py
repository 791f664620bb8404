"""`manage.py grant`: rights by groups, given to accounts that are there, and taken away again."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from commerce_coordinator.console import groups

from .test_admin_rows import VIEW_ALL

pytestmark = [pytest.mark.django_db, pytest.mark.database]

READ = {*VIEW_ALL, *groups.shown_by_plugins()}
RIGHTS = {"read": READ, "replay": {*READ, "console.replay"}, "private": {"console.view_private"}}


def grant(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("grant", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def account(**values: Any) -> Any:
    return get_user_model().objects.create_user("ada", **{"is_staff": True, **values})


@pytest.mark.parametrize("right", RIGHTS)
def test_each_right_gives_its_permissions_and_no_more(right: str) -> None:
    user = account()
    out, err = grant("ada", right)
    assert ("ada is in the group" in out, err) == (True, "")
    assert get_user_model().objects.get(pk=user.pk).get_all_permissions() == RIGHTS[right]
    grant("ada", right)  # again
    assert user.groups.count() == 1


@pytest.mark.needs_plugins("fulfillment")
def test_who_is_sent_to_the_payments_may_see_them(client: Any) -> None:
    user = account()
    grant("ada", "replay")
    client.force_login(user)
    for address in ("/admin/fulfillment/payment/", "/admin/fulfillment/refund/"):
        assert client.get(address).status_code == 200


def test_right_is_taken_away_again() -> None:
    user = account()
    grant("ada", "replay")
    grant("ada", "read")
    assert "not in the group Operators any more" in grant("ada", "replay", "--revoke")[0]
    assert get_user_model().objects.get(pk=user.pk).get_all_permissions() == RIGHTS["read"]


def test_what_a_superuser_added_to_a_group_stays() -> None:
    account()
    grant("ada", "read")
    group = Group.objects.get(name="Readers")
    group.permissions.add(Permission.objects.get(codename="view_user"))
    group.permissions.remove(Permission.objects.get(codename="view_attempt"))
    grant("ada", "read")
    assert set(group.permissions.values_list("codename", flat=True)) >= {"view_user", "view_attempt"}


@pytest.mark.parametrize("name", ["bob", "Ada"])
def test_account_that_is_not_there_is_told_how_it_comes(name: str) -> None:
    account()
    with pytest.raises(CommandError, match="logs in here, or a service calls, for the first time"):
        grant(name, "read")
    assert not Group.objects.exists()


@pytest.mark.parametrize(
    ("values", "says"), [({"is_staff": False}, "It is no staff account"), ({"is_active": False}, "switched off")]
)
def test_account_that_can_use_no_right_is_told_of(values: dict[str, Any], says: str) -> None:
    account(**values)
    assert says in grant("ada", "read")[1]


def test_unknown_right_is_refused() -> None:
    account()
    with pytest.raises(CommandError, match="invalid choice: 'write'"):
        grant("ada", "write")
