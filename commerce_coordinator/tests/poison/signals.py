from commerce_coordinator.core.signals.signal import CoordinatorSignal

bottle_opened = CoordinatorSignal(subject="bottle")
