"""The demo's signals. They carry no contract: the README shows them before it shows what a contract is."""

from commerce_coordinator.core.signals.signal import CoordinatorSignal

test_signal = CoordinatorSignal()
test_celery_signal = CoordinatorSignal()
demo_purchase_complete = CoordinatorSignal()
#: Sent once per product, by a receiver of the signal before.
demo_enroll_in_course = CoordinatorSignal()
