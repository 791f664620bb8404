"""For the templates of the admin: the navigation between our pages."""

from typing import Any

from django import template

from commerce_coordinator.console.admin.pages import Page, navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def operator_pages(context: Any) -> list[Page]:
    """The pages that whoever looks may see."""
    return navigation(context["request"])
