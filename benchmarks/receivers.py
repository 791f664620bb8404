"""Delivery tasks for the benchmarks: one HTTP call each, as the floor's task makes it; or none."""

import os

import requests

from commerce_coordinator.core.deliveries.tasks import delivery_task


def _call() -> None:
    url = os.environ.get("LMS_URL")
    if url:
        requests.get(url, timeout=10).raise_for_status()


@delivery_task
def receiver_0(order_number: str) -> None:
    _call()


@delivery_task
def receiver_1(order_number: str) -> None:
    _call()


@delivery_task
def receiver_2(order_number: str) -> None:
    _call()
