"""What every change over HTTP shares: done once per Idempotency-Key, rehearsed with `dry_run`, answered with 202."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import View
from core.api.formats import as_json
from core.api.rehearsal import rehearse
from core.errors import BadRequest
from operations import selectors
from operations.idempotency import Answer, fingerprint, once
from operations.models import Operation

KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


class ChangeView(View):
    """A view whose POSTs may carry an Idempotency-Key. `remembered` is False where an answer holds a secret."""

    remembered = True

    def answer(self, request: Request, act: Callable[[], Any]) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST" or not self.remembered or self.query.get("dry_run"):
            return act()
        if not KEY.match(key):
            raise BadRequest(
                _("The Idempotency-Key has an impossible form."),
                code="bad_idempotency_key",
                hint=_("Use 1 to 200 printable ASCII characters, for example a UUID."),
            )
        print_ = fingerprint("POST", request.get_full_path(), request._request.body)
        return _response(once(self.actor, key, print_, lambda: _kept(act())))

    def accepted(self, operation: Operation) -> Response:
        """202: it goes on in the background; the operation tells how."""
        location = f"/api/v1/operations/{operation.pk}"
        return self.one(selectors.shown_one(operation), status=202, location=location)

    def operate(self, act: Callable[[], Operation]) -> Response:
        """Start what `act` starts, or with `dry_run` only see whether it would start."""
        return self.rehearsed(act) if self.query["dry_run"] else self.accepted(act())

    def made(self, row: Any, show: Callable[[Any], dict[str, Any]], *, key: str = "name") -> Response:
        """201 with the new object, whose address is below that of its list."""
        row.refresh_from_db()  # with the times the database gave it
        document = show(row)
        return self.one(document, status=201, location=f"{self.request.path}/{document[key]}")

    def rehearsed(self, act: Callable[[], Any], findings: Sequence[dict[str, Any]] = ()) -> Response:
        rehearse(act)
        return Response({"dry_run": True, "ready": True, "findings": list(findings)})


def _kept(response: Response) -> Answer:
    headers = {name: response[name] for name in ("ETag", "Location") if response.has_header(name)}
    # as text, since a database may keep the members of a JSON object in another order
    body = None if response.data is None else as_json(response.data).decode()
    return Answer(response.status_code, body, headers)


def _response(answer: Answer) -> Response:
    repeated = {"Idempotency-Replayed": "true"} if answer.repeated else {}
    document = None if answer.body is None else orjson.loads(answer.body)
    return Response(document, status=answer.status, headers=answer.headers | repeated)
