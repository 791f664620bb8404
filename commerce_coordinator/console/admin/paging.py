"""Lists that do not count their table: beyond a cap, "10,000+" has to do, and search finds the older ones."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

#: Rows that a list counts, and pages through, at most.
MOST_COUNTED = 10_000


class AtLeast(int):
    """A count that stopped here. Shown as "10,000+"."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class CappedPaginator(Paginator):
    """Counts with a LIMIT inside, so that its cost is the cap's and not the table's."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[: MOST_COUNTED + 1].count()
        return found if found <= MOST_COUNTED else AtLeast(MOST_COUNTED)


class RecordList(ChangeList):
    """Newest first and nothing else: any other column would be sorted without an index."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        admin: Any = self.model_admin
        shaped: QuerySet[Any] = admin.for_list(queryset)
        return shaped
