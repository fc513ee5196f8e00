"""Acts on what happens to images elsewhere: a new scan may say that what is approved does not pass any more."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from images.happening import Happened, happened
from images.promotion import granting


@receiver(happened)
def heed_scans(told: Happened, **_sent: Any) -> None:
    if told.kind == "scanned":
        with transaction.atomic():
            granting.scanned(told.digest)
