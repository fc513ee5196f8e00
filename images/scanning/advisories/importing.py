"""Advisories from files that an operator brings: a ZIP of JSON records, as osv.dev offers one for each ecosystem, or a
folder of them. Read record by record, written in small transactions, so that the portal goes on meanwhile."""

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid
from images.scanning.advisories.osv import NotARecord, Record, record
from images.scanning.models import Advisory, AffectedPackage

LARGEST_RECORD = 16 * 2**20
MOST_RECORDS = 2_000_000
BATCH = 500
COLUMNS = ["modified", "published", "withdrawn", "summary", "severity", "score", "aliases"]


@dataclass
class Outcome:
    """What an import did. `newest`: by ecosystem, when its newest record was changed."""

    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    unreadable: int = 0
    newest: dict[str, datetime] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    names: set[tuple[str, str]] = field(default_factory=set)  # (ecosystem, package) of what is new or changed


def take_in(source: Path) -> Outcome:
    """Write every record that is new or was changed. Raises Invalid where the source holds none."""
    outcome = Outcome()
    records = _records(source, outcome)
    while batch := list(islice(records, BATCH)):
        _write(batch, outcome)
    if not outcome.read:
        raise Invalid(
            _("There are no advisories in %(name)s.") % {"name": source.name},
            hint=_("Give the all.zip of an ecosystem in the OSV format, or a folder of such JSON files."),
        )
    return outcome


def _records(source: Path, outcome: Outcome) -> Iterator[Record]:
    for raw in islice(_documents(source), MOST_RECORDS):
        try:
            one = record(json.loads(raw))
        except (NotARecord, ValueError, RecursionError):
            outcome.unreadable += 1
            continue
        outcome.read += 1
        for ecosystem in {each.ecosystem for each in one.affected}:
            outcome.counts[ecosystem] += 1
            known = outcome.newest.get(ecosystem)
            outcome.newest[ecosystem] = max(known, one.modified) if known else one.modified
        yield one


def _documents(source: Path) -> Iterator[bytes]:
    """The text of each JSON file; one that is too large counts as none."""
    try:
        if source.is_dir():
            for path in sorted(source.rglob("*.json")):
                yield path.read_bytes() if path.stat().st_size <= LARGEST_RECORD else b""
        else:
            yield from _zipped(source)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Invalid(
            _("%(name)s cannot be read: %(why)s") % {"name": source.name, "why": str(error) or type(error).__name__},
            hint=_("Give the all.zip of an ecosystem in the OSV format, or a folder of such JSON files."),
        ) from error


def _zipped(source: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".json") and not entry.is_dir():
                with archive.open(entry) as file:
                    raw = file.read(LARGEST_RECORD + 1)
                yield raw if len(raw) <= LARGEST_RECORD else b""


def _write(batch: list[Record], outcome: Outcome) -> None:
    wanted = {one.osv_id: one for one in batch}
    with transaction.atomic():
        known = dict(Advisory.objects.filter(osv_id__in=wanted).values_list("osv_id", "modified"))
        due = [one for one in wanted.values() if known.get(one.osv_id) != one.modified]
        outcome.new += sum(one.osv_id not in known for one in due)
        outcome.changed += sum(one.osv_id in known for one in due)
        outcome.same += len(batch) - len(due)
        rows = Advisory.objects.bulk_create(
            [_row(one) for one in due], update_conflicts=True, unique_fields=["osv_id"], update_fields=COLUMNS
        )
        keys = dict(Advisory.objects.filter(osv_id__in=[row.osv_id for row in rows]).values_list("osv_id", "pk"))
        before = AffectedPackage.objects.filter(advisory__in=keys.values())
        outcome.names.update(before.values_list("ecosystem", "name"))
        before.delete()
        AffectedPackage.objects.bulk_create(_packages(due, keys), batch_size=BATCH)
    outcome.names.update((each.ecosystem, each.name) for one in due for each in one.affected)


def _row(one: Record) -> Advisory:
    return Advisory(osv_id=one.osv_id, **{column: getattr(one, column) for column in COLUMNS})


def _packages(due: Iterable[Record], keys: dict[str, int]) -> Iterator[AffectedPackage]:
    for one in due:
        for each in one.affected:
            yield AffectedPackage(
                advisory_id=keys[one.osv_id],
                ecosystem=each.ecosystem,
                name=each.name,
                ranges=each.ranges,
                versions=each.versions,
                severity=each.severity,
            )
