"""A plugin whose one receiver kills the process that runs it, each time. Tests bring it by `poison.settings`."""
