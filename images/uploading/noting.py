"""What one step leaves to the next."""

from typing import Any

from images.uploading.models import Upload
from operations.models import Operation
from operations.services import fenced


def note(operation: Operation, upload: Upload, work: dict[str, Any]) -> None:
    """What the next step has to know."""
    with fenced(operation):  # a worker that was stopped for a while says nothing of where the next one is
        upload.work = upload.work | work
        Upload.objects.filter(pk=upload.pk).update(work=upload.work)
