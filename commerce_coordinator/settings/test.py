"""For the tests: as local, in a folder of its own; what a test needs otherwise it says itself."""

import atexit
import os
import shutil
import tempfile

if "CC_DATA" not in os.environ:
    os.environ["CC_DATA"] = tempfile.mkdtemp(prefix="cc-test-")
    atexit.register(shutil.rmtree, os.environ["CC_DATA"], ignore_errors=True)

from .local import *  # noqa: F403
from .local import CC_SIGNALS, DATABASES, INSTALLED_APPS, OPEN_EDX_FILTERS_CONFIG, env

DEBUG = False
# Static files are found where they lie; there is no collected folder, which WhiteNoise would warn of.
WHITENOISE_AUTOREFRESH = True
# Whoever calls Stripe in a test starts a stand-in of his own; the local one is in a web process that is not there.
CC_STRIPE_API_KEYS = {}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Threads of one test must see one database: a file, not memory.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"].with_name("test.sqlite3")}

#: Plugins left out together with their routes, filters and steps, by name: proof that each can be removed.
_names: list[str] = env.list("CC_WITHOUT_PLUGINS", [])
_without = tuple(f"commerce_coordinator.plugins.{name}" for name in _names)
_within = tuple(f"{name}." for name in _without)
_types = tuple(f"org.edx.coordinator.{name}." for name in _names)
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in _without]
CC_SIGNALS = {
    signal: [receiver for receiver in receivers if not receiver.startswith(_within)]
    for signal, receivers in CC_SIGNALS.items()
    if not signal.startswith(_within)
}
OPEN_EDX_FILTERS_CONFIG = {
    name: {**entry, "pipeline": [step for step in entry["pipeline"] if not step.startswith(_within)]}
    for name, entry in OPEN_EDX_FILTERS_CONFIG.items()
    if not name.startswith(_types)
}
