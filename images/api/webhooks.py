"""Webhooks of a project over HTTP."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing
from core.api.paging import page
from core.api.schema import page_of
from core.secrets import Secret
from images.api.webhook_shapes import (
    ChangedWebhookOutput,
    DeliveryListing,
    DeliveryOutput,
    NewSecretOutput,
    NewWebhookOutput,
    OneDeliveryOutput,
    WebhookChange,
    WebhookInput,
    WebhookOutput,
)
from images.hooks import selectors, services
from images.hooks.addressing import judged
from images.hooks.models import Webhook
from images.hooks.services import Asked
from operations.api.changes import ChangeView
from tenants.selectors import project as project_of


def asked_for(sent: dict[str, Any]) -> Asked:
    """What was sent, its address judged."""
    return Asked(
        name=sent.get("name"),
        address=judged(sent["address"]) if "address" in sent else None,
        events=sent.get("events"),
        secret=Secret(sent["secret"]) if "secret" in sent else None,
        active=sent.get("active"),
    )


class HookView(ChangeView):
    def hook(self, tenant: str, project: str, webhook: uuid.UUID) -> Webhook:
        home = selectors.project_with_hooks(self.actor, tenant, project)
        return selectors.webhook(self.actor, home, webhook)


class Webhooks(ChangeView):
    remembered = False  # the answer holds the secret; a name is taken only once

    @endpoint("list_webhooks", query=Listing, answers={200: page_of(WebhookOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Where it is told what happens to images of the project."""
        rows = selectors.plain_webhooks(selectors.project_with_hooks(self.actor, tenant, project))
        return Response(page(self.slip("name", "id"), rows))

    @endpoint("make_webhook", body=WebhookInput, answers={201: NewWebhookOutput})
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Have events sent to an address, signed with a secret that only this answer shows."""
        home = project_of(self.actor, tenant, project)
        check_before(services.make_webhook, self.actor, home)  # before a name is looked up for somebody
        made, secret = services.make_webhook(self.actor, home, asked=asked_for(self.sent))
        row = selectors.webhook(self.actor, home, made.pk)
        return self.made(row, lambda it: selectors.shown_webhook(it) | {"secret": secret.reveal()}, key="id")


class OneWebhook(HookView):
    @endpoint("show_webhook", answers={200: WebhookOutput})
    def get(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """One webhook, and how it does."""
        return self.one(selectors.shown_webhook(self.hook(tenant, project, webhook)))

    @endpoint("change_webhook", body=WebhookChange, answers={200: ChangedWebhookOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """Rename, move, pause or turn on again, or choose other events."""
        check_before(services.change_webhook, self.actor, project_of(self.actor, tenant, project))
        row = self.hook(tenant, project, webhook)
        asked = asked_for(self.sent)
        _row, made = services.change_webhook(self.actor, row, asked=asked, expected_version=self.expected_version)
        shown = selectors.shown_webhook(self.hook(tenant, project, webhook))
        return self.one(shown | ({"secret": made.reveal()} if made else {}))

    @endpoint("remove_webhook", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """Send nothing to it any more, and forget what was sent."""
        check_before(services.remove_webhook, self.actor, project_of(self.actor, tenant, project))
        services.remove_webhook(self.actor, self.hook(tenant, project, webhook))
        return Response(status=204)


class Ping(HookView):
    @endpoint("ping_webhook", answers={201: OneDeliveryOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """Send a message that says only that it came, once; also to one that is paused."""
        check_before(services.ping, self.actor, project_of(self.actor, tenant, project))
        row = services.ping(self.actor, self.hook(tenant, project, webhook))
        row.refresh_from_db()
        address = request.path.removesuffix("/ping") + f"/deliveries/{row.pk}"
        return self.one(selectors.shown_delivery(row), status=201, location=address)


class NewSecret(HookView):
    remembered = False  # the answer holds it

    @endpoint("renew_webhook_secret", answers={200: NewSecretOutput})
    def post(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """Sign with a new secret from now on: the only answer that shows it."""
        check_before(services.renew_secret, self.actor, project_of(self.actor, tenant, project))
        made = services.renew_secret(self.actor, self.hook(tenant, project, webhook))
        return self.one({"secret": made.reveal()})


class Deliveries(View):
    @endpoint("list_webhook_deliveries", query=DeliveryListing, answers={200: page_of(DeliveryOutput)})
    def get(self, request: Request, tenant: str, project: str, webhook: uuid.UUID) -> Response:
        """What was sent and is to be sent, newest first, kept for 14 days."""
        home = selectors.project_with_hooks(self.actor, tenant, project)
        rows = selectors.plain_deliveries(selectors.webhook(self.actor, home, webhook))
        if "state" in self.query:
            rows = rows.filter(state=self.query["state"])
        return Response(page(self.slip("-id"), rows, show=selectors.shown_deliveries))


class OneDelivery(HookView):
    @endpoint("show_webhook_delivery", answers={200: OneDeliveryOutput})
    def get(self, request: Request, tenant: str, project: str, webhook: uuid.UUID, delivery: uuid.UUID) -> Response:
        """One message: what is sent, and each try. Of an answer only its status is known."""
        row = selectors.delivery(self.actor, self.hook(tenant, project, webhook), delivery)
        return self.one(selectors.shown_delivery(row))


class SendAgain(HookView):
    @endpoint("send_webhook_again", answers={201: OneDeliveryOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, webhook: uuid.UUID, delivery: uuid.UUID) -> Response:
        """The same message under its own id once more; one that waits is sent now."""
        check_before(services.send_again, self.actor, project_of(self.actor, tenant, project))
        row = selectors.delivery(self.actor, self.hook(tenant, project, webhook), delivery)
        again = services.send_again(self.actor, row)
        address = request.path.removesuffix(f"/{delivery}/again") + f"/{again.pk}"
        return self.one(selectors.shown_delivery(again), status=201, location=address)
