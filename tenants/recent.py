"""Where somebody was last: the place switcher and the palette begin with it.

Kept in the person's row as the names of the address, "tenant/project" and "tenant/project/app", so that most requests
need no query to see that nothing changed. What is gone or no longer theirs is left out when it is shown.
"""

from django.http import HttpRequest

from tenants.models import User

KEPT = 16


def note(request: HttpRequest, user: User) -> None:
    """Remember the project and the app of a page that was shown whole."""
    match = request.resolver_match
    part = request.headers.get("HX-Request") == "true" or request.path.startswith("/api/")
    if match is None or request.method != "GET" or part:
        return
    names = [str(match.kwargs[name]) for name in ("tenant", "project", "app") if name in match.kwargs]
    if len(names) < 2 or names[0] != str(match.kwargs.get("tenant")):
        return
    here = ["/".join(names[:count]) for count in range(2, len(names) + 1)]
    kept = [*reversed(here), *(one for one in user.recent if one not in here)][:KEPT]
    if kept != user.recent:
        User.objects.filter(pk=user.pk).update(recent=kept)


def projects(user: User) -> list[str]:
    """ "tenant/project" of the places somebody was at, the last one first."""
    return [one for one in user.recent if one.count("/") == 1]


def apps(user: User) -> list[str]:
    """ "tenant/project/app", the last one first."""
    return [one for one in user.recent if one.count("/") == 2]
