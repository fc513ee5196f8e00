"""Lists and pages of images while a project has a repository of 10 000 tags."""

from benchmarks.lists import WARM, inside, queries, timed
from benchmarks.portal import Portal
from benchmarks.result import Line, Section

PAGE_SECONDS = 0.040
TAGS = 10_000
API = "/api/v1/tenants/demo/projects/shop/images"
NAME = "registry.test/demo/shop/bench"
PAGE = "/t/demo/p/shop/images/"
REPOSITORY = f"{PAGE}repositories/bench/"
MOST_QUERIES = 6


def measure(portal: Portal, *, runs: int) -> Section:
    inside(portal, "benchmarks.tagged", "--tags", str(TAGS))
    client, person = portal.client(), portal.person()
    ten, hundred = queries(portal, f"{API}/{NAME}/tags?limit=10", f"{API}/{NAME}/tags?limit=100")
    asked = (
        ("API: repositories of the project", client, API),
        ("API: 50 of its tags", client, f"{API}/{NAME}/tags"),
        ("API: tags by part of their name", client, f"{API}/{NAME}/tags?search=1.99"),
        ("page: repositories of the project", person, PAGE),
        ("page: the newest 25 tags", person, REPOSITORY),
        ("page: tags by part of their name", person, f"{REPOSITORY}?search=1.99"),
        ("page: one image", person, f"{REPOSITORY}-/digests/sha256:{0:064x}/"),
    )
    section = Section(
        "Images",
        f"A repository of {TAGS:,} tags, each an image of its own with ten layers, labels and steps; every second one "
        f"was scanned. {runs} answers in a row over one connection, after {WARM} that do not count.",
    )
    section.lines = [
        *(timed(portal, what, who, address, PAGE_SECONDS, runs=runs) for what, who, address in asked),
        Line(
            "queries of the list of tags",
            f"{ten} for 10 rows, {hundred} for 100",
            budget=f"≤ {MOST_QUERIES}, whatever the size",
            kept=ten == hundred <= MOST_QUERIES,
            cause="each part of the answer that lies in a table of its own is one query for all rows",
        ),
    ]
    return section
