"""`ETag` and `If-Match`: nobody's change is lost under somebody else's."""

import re

from django.utils.translation import gettext as _

from core.errors import BadRequest

STRONG = re.compile(r'"(\d{1,9})"\Z', re.ASCII)


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version(header: str | None) -> int | None:
    """The version a change was made on top of; None where the sender takes what there is (no header, or `*`)."""
    if header is None or header.strip() == "*":
        return None
    match = STRONG.match(header.strip())
    if match is None:
        message = _("If-Match is not a version of ours.")
        raise BadRequest(message, code="bad_if_match", hint=_("Send the ETag you were given, quotes included."))
    return int(match[1])
