"""Plugins: Django apps that can be removed by editing settings. None imports another; signals connect them."""
