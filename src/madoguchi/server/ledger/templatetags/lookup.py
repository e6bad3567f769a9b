"""A value from a mapping, by a key that a variable holds."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def lookup(mapping: Mapping[Any, Any], key: Any) -> Any:
    """The value, or nothing."""
    return mapping.get(key, "")
