"""Requests that nobody answered in time."""

from django.db.models.functions import Now

from tenants.requests.models import Request


def expire_old() -> int:
    """Note those as expired; they could not be decided any more anyway. Answers how many."""
    return Request.objects.filter(state=Request.State.OPEN, expires_at__lte=Now()).update(state=Request.State.EXPIRED)
