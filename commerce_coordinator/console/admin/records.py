"""What the four admins have in common: nobody edits the record, and no list walks its table."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from .paging import CappedPaginator, RecordList
from .sections import Section
from .showing import badge


class RecordAdmin(admin.ModelAdmin):
    """Read-only, for superusers too. Subclasses say what a list shows and what stands on a page."""

    actions_selection_counter = True
    change_form_template = "console/admin/record.html"
    change_list_template = "console/admin/records.html"
    list_per_page = 100
    ordering = ("-pk",)
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    view_on_site = False
    # The search box appears when this is set. What it looks into is said by `find`.
    search_fields = ("=pk",)

    # --- What a subclass says ---

    #: The function of `searching` that finds its rows.
    find: ClassVar[Any]

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The columns and linked rows that a list needs, in a fixed number of statements.

        Linked rows are prefetched, not joined: with a join MySQL may start from the smaller table and sort it all.
        """
        return queryset

    def summary(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        """(word of its state, a sentence on it): what stands at the top of its page."""
        raise NotImplementedError

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        """The parts of its page below its columns."""
        return []

    # --- Read-only ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj)) if self.fieldsets else ()

    # --- Lists ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and not self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filters shown. `?payload__email=...` would scan the table, and tell private values by yes and no."""
        return lookup in {getattr(each, "parameter_name", None) for each in self.list_filter}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=type(self).find(term)) if term else queryset), False

    # --- Pages ---

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What its template gets beside what Django gives."""
        word, summary = self.summary(request, row)
        return {
            "state_badge": badge(word) if word else "",
            "summary": summary,
            "sections": self.sections(request, row),
            "title": str(self.opts.verbose_name).capitalize(),
        }

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context.update(self.page_context(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)
