"""The demo's signals. They carry no contract: the README shows them before it shows what a contract is."""

from commerce_coordinator.core.signals.signal import CoordinatorSignal

test_signal = CoordinatorSignal(sent_by="GET /demo_lms/test/")
test_celery_signal = CoordinatorSignal(sent_by="GET /demo_lms/test_celery_signal/")
demo_purchase_complete = CoordinatorSignal(sent_by="GET /demo_lms/demo_purchase_complete/")
#: Sent once per product, by a receiver of the signal before.
demo_enroll_in_course = CoordinatorSignal(sent_by="demo_purchase_complete_enroll_in_course")
