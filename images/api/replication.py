"""Registries elsewhere, copies from them and rules of replication over HTTP."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import View, endpoint
from core.api.inputs import Change, Listing
from core.api.paging import page, plain
from core.api.schema import page_of
from core.secrets import Secret
from images.api import replication_shapes as shapes
from images.listing import image_project
from images.replication import connecting, selectors, services
from images.replication.models import RemoteRegistry, ReplicationRule
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from tenants.models import Project
from tenants.selectors import project as project_of


def _parts(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent, with the password as a secret."""
    parts = dict(sent)
    if "password" in parts:
        parts["secret"] = Secret(parts.pop("password"))
    return parts


class InProject(ChangeView):
    def _project(self, tenant: str, project: str) -> Project:
        return image_project(self.actor, tenant, project)

    def _managed(self, run: Any, tenant: str, project: str) -> Project:
        """A denial is on record before anything is looked up."""
        check_before(run, self.actor, project_of(self.actor, tenant, project))
        return self._project(tenant, project)


class Registries(InProject):
    remembered = False  # what is sent may hold a password

    @endpoint("list_registries", query=Listing, answers={200: page_of(shapes.RegistryOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The registries elsewhere that a project knows."""
        columns = ("id", "name", "address", "signs_in_at", "user", "secret", "version", "created_at")
        rows = plain(selectors.registries(self._project(tenant, project)).order_by(), *columns)
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_registries))

    @endpoint("add_registry", body=shapes.RegistryInput, answers={201: shapes.RegistryOutput}, problems=(429,))
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Keep a registry that answers and lets us in."""
        home = self._managed(services.add_registry, tenant, project)
        return self.made(connecting.add(self.actor, home, **_parts(self.sent)), selectors.shown_registry)


class OneRegistry(InProject):
    @endpoint("show_registry", answers={200: shapes.RegistryOutput})
    def get(self, request: Request, tenant: str, project: str, registry: str) -> Response:
        """One of them."""
        row = selectors.registry(self._project(tenant, project), registry)
        return self.one(selectors.shown_registry(row))

    @endpoint(
        "update_registry", body=shapes.RegistryChange, answers={200: shapes.RegistryOutput}, problems=(429,),
        versioned=True,
    )  # fmt: skip
    def patch(self, request: Request, tenant: str, project: str, registry: str) -> Response:
        """Change how it is reached, once it answers so. A password goes to no other address than it was given for."""
        row = self._row(services.update_registry, tenant, project, registry)
        changed = connecting.renew(self.actor, row, version=self.expected_version, **_parts(self.sent))
        return self.one(selectors.shown_registry(changed))

    @endpoint("remove_registry", answers={204: None}, versioned=True)
    def delete(self, request: Request, tenant: str, project: str, registry: str) -> Response:
        """Forget it with its password."""
        row = self._row(services.remove_registry, tenant, project, registry)
        self.check_unchanged(row)
        services.remove_registry(self.actor, row)
        return Response(status=204)

    def _row(self, run: Any, tenant: str, project: str, name: str) -> RemoteRegistry:
        return selectors.registry(self._managed(run, tenant, project), name)


class RegistryCheck(InProject):
    @endpoint("check_registry", answers={200: shapes.RegistryCheckOutput}, problems=(429,))
    def post(self, request: Request, tenant: str, project: str, registry: str) -> Response:
        """Ask it now, with what is kept."""
        home = self._managed(services.update_registry, tenant, project)
        connecting.check_again(self.actor, selectors.registry(home, registry))
        return Response({"answers": True})


class Copies(InProject):
    @endpoint("list_image_copies", query=Listing, answers={200: page_of(shapes.CopyOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """Images that somebody had copied into the project, newest first, and how far they are."""
        rows = selectors.copies(self._project(tenant, project))
        return Response(page(self.slip("-id"), rows, show=selectors.shown_copies))

    @endpoint("copy_image", query=Change, body=shapes.CopyInput, answers=STARTED, problems=(429,), repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Copy an image from another registry into the project."""
        home = self._managed(services.copy_image, tenant, project)
        return self.operate(lambda: services.copy_image(self.actor, home, **self.sent).under_way)


class OneCopy(InProject):
    @endpoint("show_image_copy", answers={200: shapes.CopyOutput})
    def get(self, request: Request, tenant: str, project: str, copy: uuid.UUID) -> Response:
        """How far it is. It is cancelled as any operation is."""
        return self.one(selectors.shown_copy(selectors.copy(self._project(tenant, project), copy)))


class Rules(InProject):
    @endpoint("list_replication_rules", query=Listing, answers={200: page_of(shapes.RuleOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """What the project keeps alike with other registries."""
        rows = plain(selectors.rules(self._project(tenant, project)).order_by(), *selectors.RULE, "registry__name")
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_rules))

    @endpoint("create_replication_rule", body=shapes.RuleInput, answers={201: shapes.RuleOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Keep images alike with a registry elsewhere."""
        home = self._managed(services.create_rule, tenant, project)
        given = dict(self.sent)
        name, registry = given.pop("name"), selectors.registry_named(home, given.pop("registry"))
        made = services.create_rule(self.actor, home, name=name, registry=registry, given=given)
        return self.made(made, selectors.shown_rule)


class OneRule(InProject):
    @endpoint("show_replication_rule", answers={200: shapes.RuleOutput})
    def get(self, request: Request, tenant: str, project: str, rule: str) -> Response:
        """One rule."""
        return self.one(selectors.shown_rule(selectors.rule(self._project(tenant, project), rule)))

    @endpoint("update_replication_rule", body=shapes.RuleChange, answers={200: shapes.RuleOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, project: str, rule: str) -> Response:
        """Change it, or pause it."""
        row = self._row(services.update_rule, tenant, project, rule)
        changed = services.update_rule(self.actor, row, given=self.sent, version=self.expected_version)
        return self.one(selectors.shown_rule(changed))

    @endpoint("remove_replication_rule", answers={204: None}, versioned=True)
    def delete(self, request: Request, tenant: str, project: str, rule: str) -> Response:
        """With its log. What was copied stays."""
        row = self._row(services.remove_rule, tenant, project, rule)
        self.check_unchanged(row)
        services.remove_rule(self.actor, row)
        return Response(status=204)

    def _row(self, run: Any, tenant: str, project: str, name: str) -> ReplicationRule:
        return selectors.rule(self._managed(run, tenant, project), name)


class RuleRuns(InProject):
    @endpoint("list_replication_runs", query=Listing, answers={200: page_of(shapes.ReplicationRunOutput)})
    def get(self, request: Request, tenant: str, project: str, rule: str) -> Response:
        """Every time the rule was followed, newest first."""
        rows = selectors.runs(selectors.rule(self._project(tenant, project), rule))
        return Response(page(self.slip("-id"), rows))

    @endpoint("run_replication_rule", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, rule: str) -> Response:
        """Follow it now."""
        row = selectors.rule(self._managed(services.run_rule, tenant, project), rule)
        return self.operate(lambda: services.run_rule(self.actor, row).under_way)


class RunCopies(View):
    @endpoint("list_replicated_images", query=Listing, answers={200: page_of(shapes.CopyOutput)})
    def get(self, request: Request, tenant: str, project: str, rule: str, run: uuid.UUID) -> Response:
        """Each image that was looked at in a run, and what became of it."""
        row = selectors.rule(image_project(self.actor, tenant, project), rule)
        rows = selectors.copies_of(selectors.run(row, run))
        return Response(page(self.slip("id"), rows, show=selectors.shown_copies))
