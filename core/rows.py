"""What every table has in common."""

import uuid

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A UUIDv7: sorts by the time it was made."""
    return uuid7()


class Row(models.Model):
    """Key and time of birth. Times come from the database's clock, never from a worker's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class DeclaredRow(Row):
    """A row that people change: `version` grows with each change and serves `ETag` and `If-Match`."""

    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True
