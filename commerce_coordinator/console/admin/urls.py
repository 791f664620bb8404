"""Our own pages in the admin."""

# Importing a module registers its pages.
from . import dead_letters, replaying, signal_map, signals, trace  # noqa: F401
from .pages import url_patterns

app_name = "console"
urlpatterns = url_patterns()
