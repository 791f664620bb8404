"""PayPal: its webhooks in, signals out."""
