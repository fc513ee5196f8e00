"""Groups over HTTP."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.access import check
from core.api.endpoint import View, endpoint
from core.api.inputs import Listing, Searchable
from core.api.paging import page
from core.api.schema import page_of
from core.api.searching import matching
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.api import group_shapes as shapes
from tenants.groups import losing, selectors, services
from tenants.groups.models import Group


class Groups(ChangeView):
    @endpoint("list_groups", query=Searchable, answers={200: page_of(shapes.GroupRow)})
    def get(self, request: Request, tenant: str) -> Response:
        """The groups of the tenant, by name."""
        rows = selectors.rows(self.actor, places.tenant(self.actor, tenant))
        return Response(page(self.slip("name", "id"), rows.filter(matching(self.query, "name", "title"))))

    @endpoint("create_group", body=shapes.GroupInput, answers={201: shapes.GroupOutput}, repeatable=True)
    def post(self, request: Request, tenant: str) -> Response:
        """Make a group, with nobody in it and no role."""
        home = places.tenant(self.actor, tenant)
        return self.made(services.create_group(self.actor, home, **self.sent), selectors.shown, key="id")


class OfGroup(ChangeView):
    def group(self, tenant: str, group: uuid.UUID) -> Group:
        """To look at: who may not is told which right it takes."""
        check(self.actor, "member.view", places.tenant(self.actor, tenant))
        return self.target(tenant, group)

    def target(self, tenant: str, group: uuid.UUID) -> Group:
        """To change: the command says what it takes; who may not even look finds nothing."""
        return selectors.group(self.actor, places.tenant(self.actor, tenant), group)


class OneGroup(OfGroup):
    @endpoint("show_group", answers={200: shapes.GroupOutput})
    def get(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """One group with its roles."""
        return self.one(selectors.shown(self.group(tenant, group)))

    @endpoint("update_group", body=shapes.GroupChange, answers={200: shapes.GroupOutput}, versioned=True)
    def patch(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """Another name or title; people and roles stay."""
        row = self.target(tenant, group)
        changed = services.update_group(self.actor, row, version=self.expected_version, **self.sent)
        return self.one(selectors.shown(changed))

    @endpoint("remove_group", answers={204: None})
    def delete(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """End its roles at once; look at `removal` first for what it cuts."""
        services.remove_group(self.actor, self.target(tenant, group))
        return Response(status=204)


class GroupMembers(OfGroup):
    @endpoint("list_group_members", query=Listing, answers={200: page_of(shapes.GroupMemberOutput)})
    def get(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """Who is in it, since when, added by whom; by user name."""
        rows = selectors.member_rows(self.group(tenant, group))
        return Response(page(self.slip("user__username", "user_id"), rows, show=selectors.shown_members))

    @endpoint("add_to_group", body=shapes.GroupMemberInput, answers={201: shapes.GroupMemberOutput})
    def post(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """Add somebody who has a role in the tenant; they hold all roles of the group from then on."""
        row = self.target(tenant, group)
        check_before(services.add_to_group, self.actor, row)  # before names of people are looked up
        person = places.person("person", str(self.sent["person"]))
        made = services.add_to_group(self.actor, row, user=person)
        return self.made(made, selectors.shown_member, key="id")


class OneGroupMember(OfGroup):
    @endpoint("take_from_group", answers={204: None})
    def delete(self, request: Request, tenant: str, group: uuid.UUID, person: uuid.UUID) -> Response:
        """Take somebody out at once; `removal?person=` says before what it cuts."""
        row = self.target(tenant, group)
        check_before(services.take_from_group, self.actor, row)  # a refused attempt stays on record
        services.take_from_group(self.actor, row, user=selectors.membership(row, person).user)
        return Response(status=204)


class GroupRemoval(View):
    @endpoint("preview_group_removal", query=shapes.LosingQuery, answers={200: shapes.LosingOutput})
    def get(self, request: Request, tenant: str, group: uuid.UUID) -> Response:
        """What ends when the group is removed, or when one person goes out of it."""
        home = places.tenant(self.actor, tenant)
        check(self.actor, "member.view", home)
        row, person = selectors.group(self.actor, home, group), self.query.get("person")
        people = [selectors.membership(row, person).user_id] if person else None
        return self.one(losing.shown(losing.losing(row, people)))
