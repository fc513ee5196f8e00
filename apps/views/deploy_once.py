"""From the deploy panel to a deployment, once however often the panel is sent."""

import hashlib
import json

from apps import services
from apps.views.app_frame import deployment_address
from apps.views.deploy_panel import Panel
from core.errors import Conflict, Invalid
from operations.idempotency import Answer, fingerprint, once
from operations.models import Operation


def deploy_once(panel: Panel) -> str:
    """The address of the deployment that came of it; empty where something is in the way: the panel tells what."""
    if panel.asked.spec is None or panel.shown_form.errors:
        return ""
    sent = _sent(panel)
    # what was changed after going back is another wish, so the text is part of the key
    key = "panel:" + hashlib.sha256(panel.asked.key.encode() + sent).hexdigest()
    try:
        answer = once(panel.asked.actor, key, fingerprint("POST", panel.asked.request.path, sent), lambda: _act(panel))
    except Invalid as error:
        panel.shown_form.place(error.errors)
        panel.trouble = None if error.errors else error
    except Conflict as error:
        panel.trouble = error
    else:
        return str(answer.body["url"])
    return ""


def _sent(panel: Panel) -> bytes:
    sent = {key: value for key, value in panel.asked.data.items() if key != "csrfmiddlewaretoken"}
    return json.dumps(sent, sort_keys=True).encode()


def _act(panel: Panel) -> Answer:
    asked = panel.asked
    name = asked.where.app.name if asked.where.app else asked.name
    return Answer(303, {"url": deployment_address(asked.links.names | {"app": name}, _start(panel))})


def _start(panel: Panel) -> Operation:
    asked, where = panel.asked, panel.asked.where
    note, left_out = asked.note, panel.left_out
    if where.app is None:
        project, name, there = asked.links.of, asked.name, where.environment
        app = services.create_app(
            asked.actor, project, name=name, environment=there, spec=asked.spec, note=note, left_out=left_out
        )
        operation: Operation = app.first_operation  # type: ignore[attr-defined]  # set because a spec was given
        return operation
    if panel.same_release:
        return services.deploy(asked.actor, where.place, release=panel.same_release)
    return services.deploy(asked.actor, where.place, spec=asked.spec, note=note, left_out=left_out)
