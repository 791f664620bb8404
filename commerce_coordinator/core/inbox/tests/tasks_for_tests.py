from commerce_coordinator.core.deliveries.tasks import delivery_task


@delivery_task
def fulfil(**values: object) -> None:
    pass
