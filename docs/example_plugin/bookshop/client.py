"""The warehouse's API. ApiClient brings time-outs, keeps each call in the attempt, and tells Retry from GiveUp."""

import requests
from django.conf import settings

from commerce_coordinator.core.clients import ApiClient


class WarehouseClient(ApiClient):
    def __init__(self) -> None:
        url = settings.BOOKSHOP_WAREHOUSE_URL
        super().__init__(requests.Session(), url_root=url, connect_timeout=3.05, read_timeout=10)

    def parcel_of(self, order_number: str) -> str | None:
        """The parcel's number, if this order was packed before."""
        found = self.call("GET", "parcels", params={"order": order_number}).json()
        return found[0]["number"] if found else None

    def pack(self, *, order_number: str, isbn: str, address: str) -> str:
        """Have it packed. Returns the parcel's number."""
        values = {"order": order_number, "isbn": isbn, "address": address}
        number: str = self.call("POST", "parcels", json=values).json()["number"]
        return number
