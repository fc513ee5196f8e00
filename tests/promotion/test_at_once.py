"""Two at the very same moment: who approve, who refuse, who click twice, who ask for the same."""

import pytest
from django.db import connection

from images.promotion import services
from images.promotion.models import Approval, Decision, Promotion
from tests.conftest import Cast
from tests.promotion.stages import asked, gated, pushed
from tests.tenants.test_at_once import IN_MEMORY, at_once

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason=IN_MEMORY),
    pytest.mark.django_db(transaction=True),
]


def test_the_two_who_are_needed_both_count(cast: Cast) -> None:
    gated(cast, approvers=2)
    request = asked(cast, pushed(cast, "a"))
    one, two = cast.actor("owner"), cast.actor("releaser")
    assert at_once(lambda: services.approve(one, request), lambda: services.approve(two, request)) == ["done", "done"]
    request.refresh_from_db()
    assert (request.state, Approval.objects.count()) == ("approved", 1)


def test_of_two_where_one_is_needed_one_is_late(cast: Cast) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    one, two = cast.actor("owner"), cast.actor("releaser")
    said = at_once(lambda: services.approve(one, request), lambda: services.approve(two, request))
    assert said == ["done", "not_open"]
    assert (Decision.objects.count(), Approval.objects.count()) == (1, 1)


def test_approved_and_refused_at_once_is_one_of_both(cast: Cast) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    one, two = cast.actor("owner"), cast.actor("releaser")
    said = at_once(lambda: services.approve(one, request), lambda: services.refuse(two, request))
    assert said == ["done", "not_open"]
    request.refresh_from_db()
    assert Approval.objects.exists() == (request.state == "approved")


def test_who_clicks_twice_answers_once(cast: Cast) -> None:
    gated(cast, approvers=2)
    request = asked(cast, pushed(cast, "a"))
    one = cast.actor("owner")
    said = at_once(lambda: services.approve(one, request), lambda: services.approve(one, request))
    assert said == ["decided_already", "done"]
    assert not Approval.objects.exists()


def test_the_same_is_asked_for_once(cast: Cast) -> None:
    gated(cast)
    image = pushed(cast, "a")
    said = at_once(lambda: asked(cast, image), lambda: asked(cast, image, by="releaser"))
    assert said == ["asked_already", "done"]
    assert Promotion.objects.count() == 1


def test_withdrawn_while_it_is_approved_is_one_of_both(cast: Cast) -> None:
    gated(cast)
    request = asked(cast, pushed(cast, "a"))
    one, two = cast.actor("developer"), cast.actor("releaser")
    said = at_once(lambda: services.withdraw(one, request), lambda: services.approve(two, request))
    assert said == ["done", "not_open"]
