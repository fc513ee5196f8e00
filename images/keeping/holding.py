"""Why an image stays whatever the rules say: it runs, it can be rolled back to, somebody approved it.

The packages that know register here how to find out; `held` gathers what they say.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from tenants.models import Project

AT_ONCE = 500
# digests, the project whose people read the reasons (what is of other projects is not named), and since when what was
# deployed counts: sentences by digest
Find = Callable[[Collection[str], Project, datetime], Mapping[str, Collection[str]]]
_finders: list[Find] = []


def holds(find: Find) -> Find:
    """Have a function asked why images are to stay."""
    _finders.append(find)
    return find


def held(digests: Collection[str], project: Project, *, since: datetime) -> dict[str, list[str]]:
    """Sentences for people, by digest; what nothing holds is not in it."""
    found: dict[str, list[str]] = defaultdict(list)
    every = list(digests)
    for first in range(0, len(every), AT_ONCE):
        some = every[first : first + AT_ONCE]
        for find in _finders:
            for digest, reasons in find(some, project, since).items():
                found[digest] += reasons
    return dict(found)
