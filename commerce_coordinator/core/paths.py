"""Dotted paths, as people read them."""

#: Modules of a plugin in which signals, receivers, steps and senders live.
ROOMS = frozenset({"signals", "tasks", "receivers", "steps", "webhooks"})


def short(path: str) -> str:
    """`commerce_coordinator.plugins.stripe.signals.payment_captured` -> `stripe.payment_captured`."""
    parts = [part for part in path.split(".") if part not in ROOMS]
    return ".".join(parts[-2:])
