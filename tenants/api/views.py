"""People's own things, tenants, projects and grants over HTTP."""

import uuid
from datetime import datetime
from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core import access
from core.access import Actor
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing, Searchable
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from core.clock import database_now
from core.errors import FieldProblem, Invalid
from operations.api.changes import ChangeView
from tenants import selectors, services
from tenants.api import shapes
from tenants.groups import selectors as groups
from tenants.members.services import extend_grant
from tenants.models import Tenant, Token, User
from tenants.profile.services import update_account


class OwnView(ChangeView):
    """Of what belongs to the person who asks, whatever they may do elsewhere."""

    @property
    def user(self) -> User:
        return cast(User, self.request.user)


class Me(OwnView):
    @endpoint("me", answers={200: shapes.MeOutput})
    def get(self, request: Request) -> Response:
        """Who you are and what you may do where."""
        used = request.auth if isinstance(request.auth, Token) else None
        return self.one(selectors.me(self.actor, self.user, used))

    @endpoint("update_me", body=shapes.AccountInput, answers={200: shapes.MeOutput})
    def patch(self, request: Request) -> Response:
        """Change your profile: what pages call you, language, theme, time zone, keys."""
        used = request.auth if isinstance(request.auth, Token) else None
        user = update_account(self.actor, self.user, settings=self.sent)
        return self.one(selectors.me(self.actor, user, used))


class Tokens(OwnView):
    remembered = False  # the answer holds the secret; a name is taken only once, so a repeat makes no second token

    @endpoint("list_tokens", query=Listing, answers={200: page_of(shapes.TokenOutput)})
    def get(self, request: Request) -> Response:
        """Your own tokens, newest first."""
        return Response(page(self.slip("-id"), selectors.tokens(self.user), show=selectors.shown_tokens))

    @endpoint("create_token", body=shapes.TokenInput, answers={201: shapes.NewTokenOutput})
    def post(self, request: Request) -> Response:
        """Make a token: the only answer that ever shows it."""
        token, secret = services.create_token(self.actor, self.user, **_token(self.actor, self.sent))
        return self.made(token, lambda row: selectors.shown_token(row) | {"token": secret.reveal()}, key="id")


def _token(actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
    until: datetime | None = sent.get("expires_at")
    lifetime = until - database_now() if until else None
    limit = selectors.place_of_token(actor, sent.get("tenant"), sent.get("project"))
    return {"name": sent["name"], "scopes": sent.get("scopes"), "lifetime": lifetime, "limit": limit}


class OneToken(OwnView):
    @endpoint("revoke_token", answers={204: None})
    def delete(self, request: Request, token: uuid.UUID) -> Response:
        """End a token of yours at once, and those that were made with it."""
        services.revoke_token(self.actor, self.user, token=selectors.token(self.user, token))
        return Response(status=204)


class Tenants(ChangeView):
    @endpoint("list_tenants", query=Searchable, answers={200: page_of(shapes.TenantOutput)})
    def get(self, request: Request) -> Response:
        """The tenants you belong to, by name."""
        rows = selectors.tenants(self.actor).filter(matching(self.query, "name", "title"))
        return Response(page(self.slip("name", "id"), rows))

    @endpoint("create_tenant", body=shapes.TenantInput, answers={201: shapes.TenantOutput}, repeatable=True)
    def post(self, request: Request) -> Response:
        """Make a tenant; for platform operators."""
        check_before(services.create_tenant, self.actor, None)  # before names of people are looked up
        sent = self.sent | {"owner": selectors.person("owner", self.sent.get("owner"))}
        return self.made(services.create_tenant(self.actor, None, **sent), selectors.shown_tenant)


class OneTenant(View):
    @endpoint("show_tenant", answers={200: shapes.TenantOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """One tenant."""
        return self.one(selectors.shown_tenant(selectors.tenant(self.actor, tenant)))

    @endpoint("update_tenant", body=shapes.TitleInput, answers={200: shapes.TenantOutput}, versioned=True)
    def patch(self, request: Request, tenant: str) -> Response:
        """Change the title of a tenant."""
        row = selectors.tenant(self.actor, tenant)
        changed = services.update_tenant(self.actor, row, version=self.expected_version, **self.sent)
        return self.one(selectors.shown_tenant(changed))


class Grants(ChangeView):
    @endpoint("list_grants", query=Listing, answers={200: page_of(shapes.GrantOutput)})
    def get(self, request: Request, tenant: str) -> Response:
        """Who has which role in the tenant and its projects, and until when."""
        home = selectors.tenant(self.actor, tenant)
        access.check(self.actor, "member.view", home)
        return Response(page(self.slip("-id"), selectors.grants(home), show=selectors.shown_grants))

    @endpoint("give_grant", body=shapes.GrantInput, answers={201: shapes.GrantOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Give a person or a group a role on the tenant, or on one of its projects."""
        home = selectors.tenant(self.actor, tenant)
        target = selectors.grantable(self.actor, home, self.sent.pop("project", None))
        check_before(services.give_grant, self.actor, target)  # before names of people are looked up
        holder = _holder(home, self.sent.pop("subject", None), self.sent.pop("group", None))
        return self.made(
            services.give_grant(self.actor, target, **holder, **self.sent), selectors.shown_grant, key="id"
        )


def _holder(home: Tenant, subject: str | None, group: str | None) -> dict[str, Any]:
    """Who is to have a role: {"user"} or {"group"}. Raises Invalid where neither or both are named."""
    if (subject is None) == (group is None):
        raise Invalid(errors=[FieldProblem("subject", "required", _("Name a person or a group, one of them."))])
    return {"user": selectors.person("subject", subject), "group": groups.named(home, group)}


class OneGrant(ChangeView):
    @endpoint("extend_grant", body=shapes.ExtensionInput, answers={200: shapes.GrantOutput})
    def patch(self, request: Request, tenant: str, grant: uuid.UUID) -> Response:
        """Give more time: a later end for a grant that ends, with a reason."""
        home = selectors.tenant(self.actor, tenant)
        row = selectors.grant(self.actor, home, grant)
        return self.one(selectors.shown_grant(extend_grant(self.actor, row.project or home, grant=row, **self.sent)))

    @endpoint("end_grant", answers={204: None})
    def delete(self, request: Request, tenant: str, grant: uuid.UUID) -> Response:
        """End a grant now. It stays on record."""
        home = selectors.tenant(self.actor, tenant)
        row = selectors.grant(self.actor, home, grant)
        services.end_grant(self.actor, row.project or home, grant=row)
        return Response(status=204)
