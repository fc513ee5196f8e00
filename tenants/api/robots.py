"""Robots of a project, and the tokens that count in it alone."""

import uuid

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import endpoint
from core.api.inputs import Input, Listing
from core.api.paging import page
from core.api.schema import page_of
from core.clock import database_now
from operations.api.changes import ChangeView
from tenants.api.shapes import name
from tenants.robots import selectors, services, tenant_tokens
from tenants.robots.models import Robot
from tenants.roles import PERMISSIONS, ROLES
from tenants.selectors import project as project_of
from tenants.selectors import tenant as tenant_of


class RobotOutput(serializers.Serializer[Robot]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.CharField()
    made_by = serializers.CharField()
    keeper = serializers.CharField(
        allow_null=True, help_text="User name of who answers for it: it may never more than they may at this moment."
    )
    lacks = serializers.ListField(
        child=serializers.CharField(), help_text="What its role would give and its keeper does not hold here now."
    )
    stopped = serializers.ChoiceField(
        [selectors.NO_KEEPER, selectors.DISABLED, selectors.LACKS], allow_null=True,
        help_text="Why no token of it counts: nobody keeps it, its keeper is disabled or holds nothing of its role.",
    )  # fmt: skip
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class RobotInput(Input):
    name = name()
    role = serializers.CharField(
        max_length=60,
        help_text=", ".join(key for key, role in ROLES.items() if role.level == "project")
        + ", or one of the tenant's own that is given on projects.",
    )


class ProjectTokenOutput(serializers.Serializer[None]):
    """A token that counts in this project alone: of a robot, or one that a person limited to it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    owner = serializers.CharField(help_text="User name of the person or robot.")
    robot = serializers.CharField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Empty: all that its owner may here.")
    prefix = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewProjectTokenOutput(ProjectTokenOutput):
    token = serializers.CharField(help_text="Shown this once only.")


class ProjectTokenInput(Input):
    robot = serializers.CharField(max_length=40, help_text="Name of a robot of this project.")
    name = serializers.CharField(max_length=60)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=len(PERMISSIONS), required=False,
        help_text="Permission codes; left out: all of the robot's.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(
        required=False, help_text="At most 366 days away, and no later than the token used to make it; default 90 days."
    )


class Robots(ChangeView):
    @endpoint("list_robots", query=Listing, answers={200: page_of(RobotOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The robots of a project."""
        rows = selectors.robots(self.actor, project_of(self.actor, tenant, project))
        return Response(page(self.slip("name", "id"), rows, show=selectors.shown_robots))

    @endpoint("create_robot", body=RobotInput, answers={201: RobotOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Make a robot with a role in the project, which is at most yours."""
        home = project_of(self.actor, tenant, project)
        return self.made(services.create_robot(self.actor, home, **self.sent), selectors.shown_robot)


class OneRobot(ChangeView):
    @endpoint("remove_robot", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, robot: str) -> Response:
        """End a robot with all its tokens at once."""
        row = selectors.robot(self.actor, project_of(self.actor, tenant, project), robot)
        services.remove_robot(self.actor, row)
        return Response(status=204)


class TenantTokenOutput(ProjectTokenOutput):
    """A token that counts in the tenant."""

    project = serializers.CharField(allow_null=True, help_text="It counts in this project alone.")
    everywhere = serializers.BooleanField(help_text="It also counts in other places of its owner.")
    unused = serializers.BooleanField(help_text="Nothing has used it for 90 days.")


class TenantTokenListing(Listing):
    unused = serializers.BooleanField(default=False, help_text="Only those that nothing has used for 90 days.")
    search = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Part of an owner's user name."
    )


class RevokeInput(Input):
    reason = serializers.CharField(max_length=500, help_text="Kept in the audit; the owner reads it.")


class TenantTokens(ChangeView):
    @endpoint("list_tenant_tokens", query=TenantTokenListing, answers={200: page_of(TenantTokenOutput)})
    def get(self, request: Request, tenant: str) -> Response:
        """Every token of people and robots that counts in the tenant, newest first; for those who manage members."""
        home = tenant_of(self.actor, tenant)
        asked = {"unused": self.query["unused"], "search": self.query.get("search", "")}
        rows = tenant_tokens.tokens(self.actor, home, **asked)
        return Response(page(self.slip("-id"), rows, show=tenant_tokens.shown))


class RevokeTenantToken(ChangeView):
    @endpoint("revoke_tenant_token", body=RevokeInput, answers={204: None})
    def post(self, request: Request, tenant: str, token: uuid.UUID) -> Response:
        """End a token in the tenant; the owner is told. One for all places of its owner goes on in the others."""
        home = tenant_of(self.actor, tenant)
        check_before(services.revoke_tenant_token, self.actor, home)  # before tokens are looked up
        services.revoke_tenant_token(self.actor, home, token=tenant_tokens.token(self.actor, home, token), **self.sent)
        return Response(status=204)


class TakeOverRobot(ChangeView):
    @endpoint("take_over_robot", answers={200: RobotOutput})
    def post(self, request: Request, tenant: str, project: str, robot: str) -> Response:
        """Become its keeper, if you hold all of its role here: it may then what it may, and stops when you do."""
        row = selectors.robot(self.actor, project_of(self.actor, tenant, project), robot)
        return self.one(selectors.shown_robot(services.take_over_robot(self.actor, row)))


class ProjectTokens(ChangeView):
    remembered = False  # the answer holds the secret; a name is taken only once

    @endpoint("list_project_tokens", query=Listing, answers={200: page_of(ProjectTokenOutput)})
    def get(self, request: Request, tenant: str, project: str) -> Response:
        """The tokens that count in this project alone, newest first."""
        rows = selectors.tokens(self.actor, project_of(self.actor, tenant, project))
        return Response(page(self.slip("-id"), rows, show=selectors.shown_tokens))

    @endpoint("create_project_token", body=ProjectTokenInput, answers={201: NewProjectTokenOutput})
    def post(self, request: Request, tenant: str, project: str) -> Response:
        """Make a token of a robot: the only answer that ever shows it."""
        home = project_of(self.actor, tenant, project)
        check_before(services.create_robot_token, self.actor, home)  # before names of robots are looked up
        robot = selectors.robot_named(self.actor, home, self.sent["robot"])
        until = self.sent.get("expires_at")
        lifetime = until - database_now() if until else None
        asked = {"name": self.sent["name"], "scopes": self.sent.get("scopes"), "lifetime": lifetime}
        token, secret = services.create_robot_token(self.actor, robot, **asked)
        return self.made(token, lambda row: selectors.shown_new_token(row) | {"token": secret.reveal()}, key="id")


class OneProjectToken(ChangeView):
    @endpoint("revoke_project_token", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, token: uuid.UUID) -> Response:
        """End a token that counts in this project, whoever made it."""
        home = project_of(self.actor, tenant, project)
        check_before(services.revoke_project_token, self.actor, home)  # before tokens are looked up
        services.revoke_project_token(self.actor, home, token=selectors.token(home, token))
        return Response(status=204)
