"""Our own pages in the admin."""

from . import dead_letters, replaying, signals, trace  # noqa: F401  importing a module registers its pages
from .pages import url_patterns

app_name = "console"
urlpatterns = url_patterns()
