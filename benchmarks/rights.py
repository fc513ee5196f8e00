"""What it costs to know who may see what: one person's few projects among thousands."""

import json
from typing import Any

from benchmarks.client import Client
from benchmarks.lists import LIST_SECONDS, MOST_QUERIES, PAGE_SECONDS, inside, queries, timed
from benchmarks.portal import Portal
from benchmarks.result import Line, Section

NAME = "bench-member"
HELD = 3
ROWS = 50


def measure(portal: Portal, *, apps: int, projects: int, runs: int) -> Section:
    inside(portal, "benchmarks.many", "--apps", str(apps))
    found = json.loads(inside(portal, "benchmarks.members", "--projects", str(projects), "--runs", str(runs)))
    section = Section(
        "Rights",
        f"A developer of {HELD} of {found['projects']:,} projects with {found['apps']:,} apps, a thousand in each of "
        f"these {HELD}; {runs} times in a row. Beside it django-guardian's `get_objects_for_user` in the same process "
        f"on the same rows, with one reader an app, asked for the same {ROWS} apps. Answers go over HTTP, through the "
        "whole middleware; their queries are counted in a second process on the same database.",
    )
    section.lines = [loaded(found), compared(found), *answers(portal, found, runs=runs)]
    return section


def loaded(found: dict[str, Any]) -> Line:
    return Line(
        "queries that load all rights of a person",
        str(found["rights_queries"]),
        budget="1",
        kept=found["rights_queries"] == 1,
        cause="a second table is asked",
    )


def compared(found: dict[str, Any]) -> Line:
    ours, theirs = found["ours"], found["guardian"]
    return Line(
        f"rights and the newest {ROWS} apps ({ours['p50'] / theirs['p50']:.2f} times guardian's)",
        told(ours),
        told(theirs),
        f"p95 ≤ {LIST_SECONDS * 1000:.0f} ms",
        ours["p95"] <= LIST_SECONDS,
        "the database sorts all apps of the three projects to find the newest",
    )


def told(one: dict[str, Any]) -> str:
    return f"p50 {one['p50'] * 1000:.1f} ms, p95 {one['p95'] * 1000:.1f} ms, {one['queries']} queries"


def answers(portal: Portal, found: dict[str, Any], *, runs: int) -> list[Line]:
    tenant, project = found["places"][0]
    listed, page = f"/api/v1/tenants/{tenant}/projects/{project}/apps?limit={ROWS}", f"/t/{tenant}/p/{project}/"
    person = Client(portal.port)
    person.cookies["berth_session"] = found["session"]
    (asked,) = queries(portal, listed, person=NAME)
    return [
        timed(portal, f"API: {ROWS} apps of one of the {HELD}", person, listed, LIST_SECONDS, runs=runs),
        Line(
            "queries of that list",
            str(asked),
            budget=f"≤ {MOST_QUERIES}",
            kept=asked <= MOST_QUERIES,
            cause="each part of the answer that lies in a table of its own is one query for all rows",
        ),
        timed(portal, "page: that project", person, page, PAGE_SECONDS, runs=runs),
    ]
