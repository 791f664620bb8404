"""Stand-ins of the payment providers, in the web process: what their APIs answer, and the webhooks that follow."""
