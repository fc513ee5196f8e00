"""That an upload changed, for pages that show it."""

from images.uploading.models import Upload
from operations.changes import announce, register_kind

KIND = register_kind("upload", "image.push")


def tell(upload: Upload) -> None:
    announce(KIND, upload.pk, tenant=upload.tenant_id, project=upload.project_id)
