"""What each action is called in the audit. An action of another version, without words here, shows its code."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORDS: dict[str, Promise] = {
    "account.create": _("make account"),
    "account.password": _("change password"),
    "account.update": _("change profile"),
    "app.create": _("create app"),
    "app.delete": _("delete app"),
    "app.delete.run": _("end of taking out"),
    "app.deploy": _("deploy"),
    "app.deploy.run": _("end of deployment"),
    "app.repair.run": _("end of repair"),
    "app.restart": _("restart"),
    "app.restart.run": _("end of restart"),
    "app.rollback": _("roll back"),
    "app.rollback.run": _("end of roll back"),
    "app.scale": _("scale"),
    "app.scale.run": _("end of scaling"),
    "app.start": _("start"),
    "app.start.run": _("end of start"),
    "app.stop": _("stop"),
    "app.stop.run": _("end of stop"),
    "app.update": _("change app"),
    "app.withdraw": _("take out of environment"),
    "audit.verify": _("verify the chain"),
    "cluster.register": _("register cluster"),
    "cluster.remove": _("remove cluster"),
    "cluster.repair_braked": _("repairs held back"),
    "cluster.update": _("change cluster"),
    "console.closed": _("end of console"),
    "console.end": _("end console"),
    "console.open": _("open console"),
    "console.return": _("come back to console"),
    "environment.create": _("create environment"),
    "environment.delete": _("delete environment"),
    "environment.update": _("change environment"),
    "grant.break_glass": _("take role at once"),
    "grant.end": _("take role"),
    "grant.give": _("give role"),
    "image.offer": _("offer image"),
    "invitation.accept": _("accept invitation"),
    "invitation.make": _("invite"),
    "invitation.revoke": _("take back invitation"),
    "member.remove": _("remove person"),
    "operation.cancel": _("cancel operation"),
    "platform.seed": _("set up Berth"),
    "project.create": _("create project"),
    "project.update": _("change project"),
    "quota.ended": _("loan went back"),
    "quota.lend": _("lend quota"),
    "quota.limit": _("set limits of project"),
    "quota.limit_tenant": _("set limits of tenant"),
    "quota.mended": _("quota added up again"),
    "quota.return": _("take loan back"),
    "request.approve": _("approve request"),
    "request.ask": _("ask for something"),
    "request.reject": _("reject request"),
    "request.withdraw": _("withdraw request"),
    "session.end": _("sign out a browser"),
    "session.end_others": _("sign out all other browsers"),
    "session.sign_in": _("sign in"),
    "session.sign_out": _("sign out"),
    "tenant.create": _("create tenant"),
    "tenant.update": _("change tenant"),
    "token.create": _("create token"),
    "token.revoke": _("revoke token"),
}


def action_words(action: str) -> str:
    """The action in the reader's language, or its code where this version has no words for it."""
    return str(_WORDS.get(action, action))


def action_choices() -> list[tuple[str, str]]:
    """(code, words) of every action known by words, in the order of the words."""
    return sorted(((code, str(words)) for code, words in _WORDS.items()), key=lambda pair: pair[1])
