"""The engine: events come in, signals are sent, deliveries are run, and every step is kept."""
