"""Members, roles and who could do what when, over HTTP."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.access import check
from core.api.endpoint import View, endpoint
from core.api.paging import Position, page_of
from core.api.schema import page_of as page_shape
from core.clock import database_now
from tenants import selectors as places
from tenants.api import member_shapes as shapes
from tenants.handing.leaving import removal
from tenants.members import history, selectors
from tenants.members.cutting import Place
from tenants.members.services import remove_member


class OfPlace(View):
    def place(self, tenant: str) -> Place:
        """The tenant, or with ?project= that project of it."""
        return places.grantable(self.actor, places.tenant(self.actor, tenant), self.query.get("project"))


class Members(OfPlace):
    @endpoint(
        "list_members", query=shapes.MemberListing, answers={200: page_shape(shapes.MemberOutput)}, problems=(422,)
    )
    def get(self, request: Request, tenant: str) -> Response:
        """People with their roles, until when, given by whom and why; by user name."""
        place = self.place(tenant)
        check(self.actor, "member.view", place)

        only = selectors.which(role=self.query.get("role", ""))

        def fetch(position: Position | None, count: int) -> list[dict[str, Any]]:
            back = position is not None and position.backwards
            beyond = str(position.values[0]) if position else ""
            found = selectors.members(
                self.actor, place, search=self.query.get("search", ""), beyond=beyond, back=back, most=count, only=only
            )
            return [selectors.shown_member(one) for one in found]

        return Response(page_of(self.slip("name"), fetch))


class OneMember(OfPlace):
    @endpoint("show_member", query=shapes.OfProject, answers={200: shapes.MemberOutput}, problems=(422,))
    def get(self, request: Request, tenant: str, person: uuid.UUID) -> Response:
        """One person with their roles here."""
        return self.one(selectors.shown_member(selectors.member(self.actor, self.place(tenant), person)))

    @endpoint("remove_member", query=shapes.Removal, answers={204: None})
    def delete(self, request: Request, tenant: str, person: uuid.UUID) -> Response:
        """End all roles of a person here at once; look at `removal` first for what it cuts and what goes over."""
        place = self.place(tenant)
        check_before(remove_member, self.actor, place)  # a refused attempt stays on record
        to = {name: self.query[name] for name in ("hand_over_to",) if name in self.query}
        remove_member(self.actor, place, user=selectors.member(self.actor, place, person).user, **to)
        return Response(status=204)


class MemberWhy(OfPlace):
    @endpoint("explain_member", query=shapes.OfProject, answers={200: shapes.WhyOutput}, problems=(422,))
    def get(self, request: Request, tenant: str, person: uuid.UUID) -> Response:
        """Why the person may do what they may: every permission with its role and grant."""
        one = selectors.member(self.actor, self.place(tenant), person)
        found = [selectors.shown_path(path) for path in selectors.paths(one)]
        return self.one({"person": one.user.get_username(), "paths": found})


class MemberRemoval(OfPlace):
    @endpoint("preview_removal", query=shapes.Removal, answers={200: shapes.RemovalOutput}, problems=(422,))
    def get(self, request: Request, tenant: str, person: uuid.UUID) -> Response:
        """What removing the person would cut, and what they keep for others: with `hand_over_to`, what goes over."""
        place = self.place(tenant)
        member = selectors.member(self.actor, place, person)
        leaving = removal(self.actor, place, member.user, self.query.get("hand_over_to", ""))
        one = selectors.shown_member(member)
        found = [{"kind": cut.kind, "count": cut.count, "words": str(cut.words)} for cut in leaving.cuts]
        return self.one({"person": one["name"], "grants": one["grants"], "cuts": found, "keeps": leaving.shown})


class WhoCould(View):
    @endpoint("who_could", query=shapes.HistoryQuery, answers={200: shapes.HistoryOutput}, problems=(422,))
    def get(self, request: Request, tenant: str) -> Response:
        """Who could do what at a moment: for a person, a permission, a project, or any mixture; for auditors."""
        home, now, asked = places.tenant(self.actor, tenant), database_now(), self.query
        check(self.actor, "audit.view", home)
        moment = asked.get("at") or now
        found = history.who_could(
            self.actor, home, moment=moment, now=now,
            person=asked.get("person", ""), permission=asked.get("permission", ""),
            place=history.place_once(home, asked.get("project", "")),
        )  # fmt: skip
        return self.one({"at": moment, "results": [history.shown_held(one) for one in found]})
