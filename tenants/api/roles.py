"""The roles of a tenant over HTTP: built-in ones to read, its own to make, change and remove."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.endpoint import endpoint
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.api import member_shapes as shapes
from tenants.custom import selectors, services
from tenants.custom.models import CustomRole
from tenants.members.selectors import roles, shown_role


class RoleView(ChangeView):
    def shown(self, row: CustomRole) -> dict[str, Any]:
        return shown_role(self.actor, row)

    def row(self, tenant: str, role: str) -> CustomRole:
        return selectors.role(self.actor, places.tenant(self.actor, tenant), role)


class Roles(RoleView):
    @endpoint("list_roles", answers={200: shapes.RolesOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """The roles there are, and what each may do: the built-in ones and the tenant's own."""
        return self.one({"results": roles(self.actor, places.tenant(self.actor, tenant))})

    @endpoint("create_role", body=shapes.RoleInput, answers={201: shapes.OwnRoleOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Make a role of permissions that you hold yourself; it can be given as every other one."""
        home = places.tenant(self.actor, tenant)
        return self.made(services.create_role(self.actor, home, **self.sent), self.shown)


class OneRole(RoleView):
    @endpoint("show_role", answers={200: shapes.OwnRoleOutput})
    def get(self, request: Request, tenant: str, role: str) -> Response:
        """One role of the tenant's own, by its name."""
        return self.one(self.shown(self.row(tenant, role)))

    @endpoint("update_role", body=shapes.RoleChangeInput, answers={200: shapes.OwnRoleOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, role: str) -> Response:
        """Change what a role of the tenant's own allows, at once and for all who hold it."""
        row = self.row(tenant, role)
        return self.one(self.shown(services.update_role(self.actor, row, version=self.expected_version, **self.sent)))

    @endpoint("remove_role", query=shapes.RoleRemoval, answers={204: None})
    def delete(self, request: Request, tenant: str, role: str) -> Response:
        """Remove a role that nobody holds, or with `end_grants` end it for all who do."""
        row = self.row(tenant, role)
        services.remove_role(self.actor, row, end_grants=self.query.get("end_grants", False))
        return Response(status=204)
