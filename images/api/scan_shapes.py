"""Shapes of scans over HTTP."""

from typing import Any

from rest_framework import serializers

from core.api.inputs import Input, Searchable
from images.models import Excuse, Scan, ScanFinding
from images.scanning.advisories.osv import LEVELS
from images.scanning.reading import Report
from operations.api.shapes import OperationOutput
from operations.selectors import shown_one

LETTERS = "A to F, or unknown, which is never clean."


class Doubt(serializers.Serializer[None]):
    code = serializers.CharField()
    message = serializers.CharField()


class SecretOutput(serializers.Serializer[None]):
    kind = serializers.CharField()
    path = serializers.CharField()
    layer = serializers.IntegerField()
    buried = serializers.BooleanField(help_text="A later layer covers it; it is in the image all the same.")


class SpecialFile(serializers.Serializer[None]):
    path = serializers.CharField()
    bits = serializers.CharField(help_text="setuid, setgid, or both with a plus between them.")
    layer = serializers.IntegerField()


class LicenceOutput(serializers.Serializer[None]):
    licence = serializers.CharField(help_text="As the packages say it; empty: they say none.")
    count = serializers.IntegerField(help_text="Of so many packages.")


class ScanPartOutput(serializers.Serializer[None]):
    artifact = serializers.UUIDField()
    digest = serializers.CharField()
    platform = serializers.CharField()
    rating = serializers.CharField()


class ScanOutput(serializers.Serializer[Scan]):
    """What is known of one image now, excuses applied."""

    artifact = serializers.UUIDField()
    repository = serializers.CharField()
    digest = serializers.CharField()
    rating = serializers.CharField(help_text=LETTERS)
    at_best = serializers.CharField(help_text="The letter by what could be looked at.")
    doubts = Doubt(many=True, help_text="Why nobody can say that it is clean.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By severity; and `excused`.")
    tool = serializers.CharField(allow_blank=True)
    scanned_at = serializers.DateTimeField(allow_null=True)
    data_as_of = serializers.DateTimeField(allow_null=True, help_text="Of when the oldest of the data is.")
    data_is_old = serializers.BooleanField()
    system = serializers.CharField(allow_blank=True)
    secrets = SecretOutput(many=True)
    special_files = SpecialFile(many=True)
    licences = LicenceOutput(many=True)
    parts = ScanPartOutput(many=True, help_text="Of an image for several platforms: each has a report of its own.")
    operation = OperationOutput(allow_null=True, help_text="The last look, or the one that is under way.")


def shown_report(report: Report) -> dict[str, Any]:
    scan, now = report.scan, report.standing
    return {
        "artifact": report.artifact.pk,
        "repository": report.artifact.repository.name,
        "digest": report.artifact.digest,
        "rating": now.rating,
        "at_best": now.at_best,
        "doubts": report.doubts,
        "counts": dict(now.counts),
        "tool": scan.tool if scan else "",
        "scanned_at": now.scanned_at,
        "data_as_of": now.data_as_of,
        "data_is_old": now.old,
        "system": scan.system.get("pretty_name", "") if scan else "",
        "secrets": scan.secrets if scan else [],
        "special_files": scan.special_files if scan else [],
        "licences": report.licences,
        "parts": [_part(one) for one in report.parts],
        "operation": shown_one(report.last_try) if report.last_try and report.own else None,
    }


def _part(one: dict[str, Any]) -> dict[str, Any]:
    told = {"digest": one["digest"], "platform": one["platform"], "rating": one["standing"].rating}
    return {"artifact": one["artifact"].pk, **told}


class ExcusedOutput(serializers.Serializer[None]):
    reason = serializers.CharField(allow_blank=True)
    until = serializers.DateField()
    given_by = serializers.CharField(allow_blank=True)


class FindingOutput(serializers.Serializer[ScanFinding]):
    id = serializers.IntegerField()
    vulnerability = serializers.CharField()
    ids = serializers.ListField(child=serializers.CharField())
    package = serializers.CharField()
    version = serializers.CharField(allow_blank=True)
    severity = serializers.CharField(help_text=", ".join(LEVELS))
    score = serializers.FloatField(allow_null=True)
    fixed = serializers.CharField(allow_blank=True, help_text="The version that mends it; empty: none does.")
    summary = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    layer = serializers.IntegerField(help_text="That brought the package; the lowest is 1, 0 where nobody can tell.")
    command = serializers.CharField(allow_blank=True, help_text="What made that layer.")
    excused = ExcusedOutput(allow_null=True)


class FindingQuery(Searchable):
    severity = serializers.ChoiceField(choices=list(LEVELS), required=False)


class ExcuseInput(Input):
    vulnerability = serializers.CharField(max_length=100, help_text="Such as CVE-2024-3094, or any of its other ids.")
    package = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="Empty: whichever.")
    reason = serializers.CharField(max_length=500, help_text="Why it does no harm here.")
    until = serializers.DateField(help_text="The last day, within a year.")


class ExcuseOutput(serializers.Serializer[Excuse]):
    id = serializers.UUIDField()
    vulnerability = serializers.CharField()
    package = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    until = serializers.DateField()
    given_by = serializers.CharField()
    created_at = serializers.DateTimeField()


EXCUSE = ["id", "vulnerability", "package", "reason", "until", "given_by", "created_at"]


def shown_excuse(row: Excuse) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EXCUSE}
