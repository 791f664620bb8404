"""For the template of the admin's first page."""

from typing import Any

from django import template

from commerce_coordinator.console.admin.overview import Overview, overview

register = template.Library()


@register.simple_tag(takes_context=True)
def console_overview(context: Any) -> Overview | None:
    """None for whoever may not view the record."""
    return overview(context["request"])
