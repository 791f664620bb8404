"""For the tests: as local, in a folder of its own; what a test needs otherwise it says itself."""

import atexit
import os
import shutil
import tempfile

if "CC_DATA" not in os.environ:
    os.environ["CC_DATA"] = tempfile.mkdtemp(prefix="cc-test-")
    atexit.register(shutil.rmtree, os.environ["CC_DATA"], ignore_errors=True)

from .local import *  # noqa: F403
from .local import CC_SIGNALS, DATABASES, INSTALLED_APPS, env

DEBUG = False
# Static files are found where they lie; there is no collected folder, which WhiteNoise would warn of.
WHITENOISE_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Threads of one test must see one database: a file, not memory.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"].with_name("test.sqlite3")}

#: Plugins left out together with their routes, by name: proof that each can be removed.
_names: list[str] = env.list("CC_WITHOUT_PLUGINS", [])
_without = tuple(f"commerce_coordinator.plugins.{name}" for name in _names)
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in _without]
CC_SIGNALS = {
    signal: [receiver for receiver in receivers if not receiver.startswith(tuple(f"{name}." for name in _without))]
    for signal, receivers in CC_SIGNALS.items()
    if not signal.startswith(tuple(f"{name}." for name in _without))
}
