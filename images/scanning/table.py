"""A report as lines of text, for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from images.scanning import words
from images.scanning.report import Report

WIDEST = 60


def lines(report: Report, *, now: datetime, most: int = 200) -> Iterator[str]:
    """Rating first, then why, then what was found, worst first."""
    yield _rating(report)
    yield f"image: {', '.join(report.found['names'] + report.found['digests'])}"
    yield f"system: {report.system or 'not recognised'}, {len(report.found['packages'])} packages"
    yield _age(report, now)
    yield from (f"unknown because: {words.doubt(one)}" for one in report.doubts)
    counts = [f"{count} {level}" for level, count in report.counts.items() if count]
    yield f"findings: {', '.join(counts) or 'none'}"
    yield from _findings(report.compared.findings, most)
    yield from _secrets(report.found["secrets"])
    yield from _special(report.found["special_files"])


def _rating(report: Report) -> str:
    worse = f" (at best {report.at_best})" if report.rating != report.at_best else ""
    return f"rating: {report.rating}{worse}"


def _age(report: Report, now: datetime) -> str:
    if report.compared.as_of is None:
        return f"data: {report.tool}, age not known" if report.compared.feeds else f"data: {report.tool}, none"
    days = (now - report.compared.as_of).days
    old = "; it is old, import newer data" if report.old(now) else ""
    return f"data: {report.tool}, the oldest of {', '.join(sorted(report.compared.feeds))} is of {days} days ago{old}"


def _findings(findings: Sequence[dict[str, Any]], most: int) -> Iterator[str]:
    if not findings:
        return
    rows: list[tuple[str, ...]] = [("severity", "vulnerability", "package", "version", "fixed in", "layer")]
    rows += [_row(one) for one in findings[:most]]
    widths = [min(WIDEST, max(len(row[column]) for row in rows)) for column in range(6)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    if len(findings) > most:
        yield f"… and {len(findings) - most} more: --format json shows all"
    for one in findings:
        if excuse := one.get("excused"):
            yield f"excused: {one['vulnerability']} until {excuse['until']} by {excuse['given_by']}: {excuse['reason']}"


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    severity = f"({one['severity']})" if one.get("excused") else one["severity"]
    fixed, layer = one["fixed"] or "no version", str(one["layer"] or "")
    return severity, one["vulnerability"], one["package"], one["version"], fixed, layer


def _secrets(secrets: Sequence[dict[str, Any]]) -> Iterator[str]:
    for one in secrets:
        place = " ".join(filter(None, (one["path"], f"layer {one['layer']}" if one["layer"] else "")))
        buried = ", covered by a later layer and still there" if one["buried"] else ""
        yield f"secret: {words.secret(one['kind'])}: {place}{buried}"


def _special(files: Sequence[dict[str, Any]]) -> Iterator[str]:
    for one in files:
        yield f"{one['bits']}: {one['path']}, layer {one['layer']}"
