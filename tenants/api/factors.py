"""Second factors over HTTP: one's own, and those that somebody lost."""

import uuid

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import endpoint
from core.errors import FieldProblem, Invalid
from operations.api.changes import ChangeView
from tenants import selectors as places
from tenants.api import factor_shapes as shapes
from tenants.api.views import OwnView
from tenants.factors import proof, selectors, services
from tenants.members import selectors as members


class FactorView(OwnView):
    remembered = False  # answers may hold codes, and what is sent a password

    def prove(self) -> None:
        """Raises Invalid unless what was sent shows that it is this person."""
        given = {name: value for name, value in self.sent.items() if name in ("password", "code") and value}
        if len(given) != 1:
            raise Invalid(errors=[FieldProblem("password", "required", _("Send your password or a code."))])
        if not proof.right(self.request._request, self.user, **given):
            raise Invalid(errors=[FieldProblem(next(iter(given)), "wrong", _("That is not right."))])


class Factors(FactorView):
    @endpoint("list_factors", answers={200: shapes.FactorsOutput})
    def get(self, request: Request) -> Response:
        """Your second factors, and how many recovery codes are left."""
        found = [selectors.shown_factor(one) for one in selectors.factors(self.user)]
        return self.one({"results": found, "recovery_codes_left": selectors.codes_left(self.user)})


class OneFactor(FactorView):
    @endpoint("delete_factor", answers={204: None})
    def delete(self, request: Request, factor: uuid.UUID) -> Response:
        """Remove one of yours, in a browser that has signed in within ten minutes; programs use `remove`."""
        row = selectors.factor(self.user, factor)
        proof.check(request._request)
        services.remove_factor(self.actor, self.user, factor=row)
        return Response(status=204)


class RemoveFactor(FactorView):
    @endpoint("remove_factor", body=shapes.ProofInput, answers={204: None}, problems=(429,))
    def post(self, request: Request, factor: uuid.UUID) -> Response:
        """Remove one of yours; with your password or a code."""
        row = selectors.factor(self.user, factor)
        self.prove()
        services.remove_factor(self.actor, self.user, factor=row)
        return Response(status=204)


class RecoveryCodes(FactorView):
    @endpoint("make_recovery_codes", body=shapes.ProofInput, answers={200: shapes.CodesOutput}, problems=(429,))
    def post(self, request: Request) -> Response:
        """Ten new recovery codes in place of the old ones; with your password or a code. Shown this once."""
        self.prove()
        return Response({"codes": services.make_codes(self.actor, self.user)})


class ResetMember(ChangeView):
    @endpoint("reset_member_factors", body=shapes.LostReasonInput, answers={200: shapes.ResetOutput})
    def post(self, request: Request, tenant: str, person: uuid.UUID) -> Response:
        """Take lost second factors from somebody who belongs to your tenant alone; for owners."""
        home = places.tenant(self.actor, tenant)
        check_before(services.reset_factors, self.actor, home)
        user = members.member(self.actor, home, person).user
        return Response({"taken": services.reset_factors(self.actor, home, user=user, reason=self.sent["reason"])})


class ResetPerson(ChangeView):
    @endpoint("reset_person_factors", body=shapes.LostInput, answers={200: shapes.ResetOutput})
    def post(self, request: Request) -> Response:
        """Take lost second factors from a local person; for platform operators."""
        check_before(services.reset_factors, self.actor, None)
        user = places.person("person", self.sent["person"])
        return Response({"taken": services.reset_factors(self.actor, None, user=user, reason=self.sent["reason"])})
