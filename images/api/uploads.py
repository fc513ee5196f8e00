"""Uploads over HTTP: begun with what is to come, then its bytes in pieces of any size, in the manner of tus 1.0."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import View, endpoint
from core.api.inlet import reader
from core.api.inputs import Input, Listing, WholeNumber
from core.api.paging import page, plain
from core.api.schema import page_of
from core.errors import BadRequest, FieldProblem
from core.seats import taken
from images.models import Upload
from images.uploading import receiving, selectors, services
from operations.api.changes import ChangeView
from operations.api.shapes import Told
from tenants.selectors import project as project_of

BYTES = "application/octet-stream"  # whatever is said of it, the bytes are taken as they are
TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}


class UploadInput(Input):
    file_name = serializers.CharField(max_length=200)
    size_bytes = WholeNumber(min_value=1, max_value=2**50, help_text="Of the whole file.")
    repository = serializers.CharField(
        max_length=150, required=False, allow_blank=True, help_text="Below the project; without it, as in the archive."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=10, required=False,
        help_text="Without them those in the archive, or else `latest`.",
    )  # fmt: skip
    image = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Its name in the archive, where it holds several."
    )
    platform = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="As `linux/arm64`, where the archive holds several."
    )

    purpose = serializers.ChoiceField(
        Upload.Purpose.choices, required=False,
        help_text="`sources` (tar, tar.gz or zip) wait to be built; an image is put into the registry.",
    )  # fmt: skip


class UploadQuery(Listing):
    own = serializers.BooleanField(required=False, help_text="Only those that you began yourself.")
    state = serializers.ChoiceField(Upload.State.choices, required=False)
    purpose = serializers.ChoiceField(Upload.Purpose.choices, required=False)


class UploadOutput(serializers.Serializer[Upload]):
    id = serializers.UUIDField()
    purpose = serializers.ChoiceField(Upload.Purpose.choices)
    file_name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    received_bytes = serializers.IntegerField()
    state = serializers.ChoiceField(Upload.State.choices)
    repository = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    image = serializers.CharField(allow_blank=True)
    platform = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(allow_blank=True, help_text="Of the image, once it lies in the registry.")
    reference = serializers.CharField(allow_blank=True, help_text="The repository it lies in then.")
    operation_id = serializers.UUIDField(allow_null=True, help_text="What looks through it and puts it there.")
    owner_name = serializers.CharField()
    failure = Told(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Unless more of it comes.")


class Uploads(ChangeView):
    @endpoint("list_uploads", query=UploadQuery, answers={200: page_of(UploadOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Archives that are being uploaded to a project, and those of the last month."""
        rows = selectors.uploads(self.actor, project_of(self.actor, tenant, project))
        wanted = {name: self.query[name] for name in ("state", "purpose") if self.query.get(name)}
        own = {"owner_id": self.actor.id} if self.query.get("own") else {}
        found = plain(rows.filter(**wanted, **own), *selectors.COLUMNS)
        return Response(page(self.slip("-created_at", "-id"), found, show=selectors.shown_all))

    @endpoint("begin_upload", body=UploadInput, answers={201: UploadOutput}, problems=(507,), repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Take the room for the archive of an image (docker save, or an OCI layout as a tar file, also with gzip)."""
        home = project_of(self.actor, tenant, project)
        check_before(services.begin_upload, self.actor, home)
        return self.made(services.begin_upload(self.actor, home, **self.sent), selectors.shown_one, key="id")


class OneUpload(View):
    @endpoint("show_upload", answers={200: UploadOutput})
    def get(self, request: Request, tenant: str, project: str, upload: uuid.UUID) -> Response:
        """How far an upload is, and what became of it."""
        return self.one(selectors.shown_one(self._row(selectors.upload, tenant, project, upload)))

    def head(self, request: Request, tenant: str, project: str, upload: uuid.UUID) -> Response:
        """From which byte on to send."""
        return self._at(selectors.shown_one(self._row(selectors.upload, tenant, project, upload)), status=200)

    @endpoint("send_upload", takes=BYTES, answers={204: None}, problems=(408, 429, 507))
    def patch(self, request: Request, tenant: str, project: str, upload: uuid.UUID) -> Response:
        """The next bytes, as many as one likes, from `Upload-Offset` on; after the last one its operation begins."""
        row = self._row(selectors.own_upload, tenant, project, upload)
        at = request.headers.get("Upload-Offset", "")
        if not at.isascii() or not at.isdigit() or len(at) > 18:
            text = _("Say in the header Upload-Offset which byte of the file comes first, beginning with 0.")
            raise BadRequest(text, errors=[FieldProblem("Upload-Offset", "invalid", text)])
        with taken(self.actor.id, row.tenant_id, kind="upload"):
            row = receiving.receive(self.actor, row, at=int(at), read=reader(request._request))
        return self._at(selectors.shown_one(row), status=204)

    @endpoint("discard_upload", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, upload: uuid.UUID) -> Response:
        """Throw it away; what is being put into the registry is stopped."""
        services.discard_upload(self.actor, self._row(selectors.upload, tenant, project, upload))
        return Response(status=204)

    def _row(self, find: Any, tenant: str, project: str, upload: uuid.UUID) -> Upload:
        row: Upload = find(self.actor, project_of(self.actor, tenant, project), upload)
        return row

    def _at(self, document: dict[str, Any], *, status: int) -> Response:
        told = {"Upload-Offset": str(document["received_bytes"]), "Upload-Length": str(document["size_bytes"])}
        return Response(status=status, headers=TUS | told)
