"""{% load live_feed %}: where the parts of a page hear that they changed."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.changes import newest

register = template.Library()
FEED = "/ws/v1/feed"


@register.simple_tag(takes_context=True)
def feed_here(context: Any) -> str | SafeString:
    """Attributes of <body>: the feed's address, and the last change that the page may already show."""
    actor = getattr(context.get("request"), "actor", None)
    if actor is None or actor.id is None:
        return ""
    return format_html(' data-live-feed="{}" data-live-seq="{}"', FEED, newest())
