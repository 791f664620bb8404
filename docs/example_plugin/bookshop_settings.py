"""The local settings, and the bookshop."""

from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import CC_SIGNALS, INSTALLED_APPS, env

if "bookshop.apps.BookshopConfig" not in INSTALLED_APPS:  # it is, when the package is installed
    INSTALLED_APPS = ["bookshop.apps.BookshopConfig", *INSTALLED_APPS]

CC_SIGNALS = {
    **CC_SIGNALS,
    "bookshop.signals.book_ordered": ["bookshop.tasks.ship_book"],
    "bookshop.signals.book_shipped": ["bookshop.receivers.note_parcel"],
}

BOOKSHOP_SECRET = env.str("BOOKSHOP_SECRET", "local-bookshop-secret")
BOOKSHOP_WAREHOUSE_URL = env.str("BOOKSHOP_WAREHOUSE_URL", "http://localhost:8999")
