"""The end of a robot, by a person or with its project."""

from django.db.models.functions import Now

from tenants.changes import tell_of
from tenants.models import Grant, Token, User
from tenants.robots.models import Robot
from tenants.tokens import end_tokens


def retire(robot: Robot, *, by: str) -> None:
    """Call it in a transaction: no token, no role, no account any more; and the name can be used again."""
    end_tokens(Token.objects.filter(user=robot.user_id))
    Grant.objects.filter(user=robot.user_id, ended_at=None).update(ended_at=Now(), ended_by=by)
    name = f"{robot.user.get_username()}#{robot.pk.hex[-8:]}"
    User.objects.filter(pk=robot.user_id).update(is_active=False, disabled_at=Now(), username=name)
    Robot.objects.filter(pk=robot.pk, removed_at=None).update(removed_at=Now())
    tell_of(robot.user_id)
