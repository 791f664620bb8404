"""The operator's side: commands, admin pages, health. Imports no plugin."""
