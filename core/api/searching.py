"""`?search=`: found anywhere in a few named columns, case aside."""

from typing import Any

from django.db.models import Q


def matching(query: dict[str, Any], *columns: str) -> Q:
    """No condition without a search. What has a meaning in LIKE is only a character here; Django escapes it."""
    text = query.get("search", "")
    condition = Q()
    for column in columns if text else ():
        condition |= Q(**{f"{column}__icontains": text})
    return condition
