"""Sessions kept in our own table, so that somebody can see where they are signed in, and end it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as Store
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from tenants.models import Session

CAME = "came"  # in a session's data: {"address", "client", "at"} of the sign-in
SEEN_EVERY = timedelta(minutes=1)
OURS = uuid.UUID("6e1e6c0e-5f0b-5c1c-9a3f-0f6f0c6a2b11")


def public_id(session_key: str) -> uuid.UUID:
    """The id a session is known by on pages and in the API; nobody gets from it to the key."""
    return uuid.uuid5(OURS, session_key)


def note_coming(session: Any, *, address: str, client: str) -> None:
    """Keep in a session where its sign-in came from."""
    session[CAME] = {"address": address[:45], "client": client[:300], "at": timezone.now().isoformat()}


class SessionStore(Store):
    seen_at: datetime | None = None  # of the row, when it was read

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        self.seen_at = row.seen_at if row else None
        return row

    def note_seen(self) -> None:
        """Once a minute at most, so that reading pages writes next to nothing."""
        now = timezone.now()
        if self.seen_at is not None and now - self.seen_at > SEEN_EVERY:
            Session.objects.filter(session_key=self.session_key).update(seen_at=now)
            self.seen_at = now

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        came = data.get(CAME) or {}
        row.id = public_id(str(row.session_key))
        row.user_id = uuid.UUID(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        row.address, row.client = came.get("address", ""), came.get("client", "")
        row.created_at = _moment(came.get("at", ""))
        row.seen_at = timezone.now()
        return row


def _moment(text: str) -> datetime:
    return parse_datetime(text) or timezone.now() if text else timezone.now()
