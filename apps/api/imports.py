"""Foreign files over HTTP: what they would become. Nothing is made; the answer's `spec` is what to deploy."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.inputs import LeftOut
from apps.specification import ForeignImport, Import, import_of
from apps.specification.limits import LARGEST_TEXT
from core.access import check_any
from core.api.endpoint import View, endpoint
from core.api.inputs import Input
from tenants.selectors import project as project_of

IMPORTERS = ("app.deploy", "app.test", "app.release")


class ImportInput(Input):
    text = serializers.CharField(
        max_length=LARGEST_TEXT, trim_whitespace=False, help_text="The file, in YAML or JSON, at most 256 KB."
    )
    leaving_out = LeftOut(help_text="Paths to do without, each as in `leave_out` of a line.")


class ImportLine(serializers.Serializer[None]):
    """What becomes of one key."""

    kind = serializers.CharField(help_text="refused, changed, dropped, chosen or kept")
    path = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    leave_out = serializers.CharField(help_text="What to send in `leaving_out` to do without it; empty: no way round.")
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)


class ImportOutput(serializers.Serializer[None]):
    """`ready`: nothing stands in the way, so `spec` is there. Send `left_out` with the deployment, for the audit."""

    ready = serializers.BooleanField()
    speaks = serializers.CharField(help_text="In which words the file is written, such as Compose.")
    lines = ImportLine(many=True)
    name = serializers.CharField(help_text="What the file calls the app; may be empty.")
    left_out = serializers.ListField(child=serializers.CharField())
    spec = serializers.DictField(allow_null=True)
    yaml = serializers.CharField()


class Imports(View):
    @endpoint("import_app", body=ImportInput, answers={200: ImportOutput})
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """What a file from elsewhere would become here, key by key. Changes nothing."""
        check_any(self.actor, IMPORTERS, project_of(self.actor, tenant, project))
        return Response(_shown(import_of(self.sent["text"], tuple(self.sent.get("leaving_out", ())))))


def _shown(found: Import | ForeignImport) -> dict[str, Any]:
    spec = found.specification
    return {
        "ready": spec is not None,
        "speaks": found.speaks,
        "lines": [line.as_json() for line in found.lines],
        "name": found.name,
        "left_out": list(found.left_out),
        "spec": spec.canonical() if spec else None,
        "yaml": spec.to_yaml() if spec else "",
    }
