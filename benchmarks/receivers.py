"""Delivery tasks for the benchmarks: each makes the one HTTP call that the floor's task makes."""

import os

import requests

from commerce_coordinator.core.deliveries.tasks import delivery_task


def _call(order_number: str) -> None:
    url = os.environ.get("LMS_URL")
    if url:
        requests.get(f"{url}/{order_number}", timeout=10).raise_for_status()


@delivery_task
def receiver_0(order_number: str) -> None:
    _call(order_number)


@delivery_task
def receiver_1(order_number: str) -> None:
    _call(order_number)


@delivery_task
def receiver_2(order_number: str) -> None:
    _call(order_number)
