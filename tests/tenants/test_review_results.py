"""The result of a review: sealed, refusing to be changed, and found out where it was changed all the same."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit.chain import verify as verify_chain
from audit.models import AuditEntry
from core.triggers import allow_statements, refuse_statements
from tenants.models import Grant, Review, ReviewLine
from tenants.reviews import ending, results, sealing, services
from tenants.reviews.models import SEALED
from tests.conftest import Cast
from tests.tenants.test_reviews import begun, due, line_of

TABLES = ("tenants_review", "tenants_reviewline")


def sealed(cast: Cast) -> Review:
    review = begun(cast)
    services.answer(cast.actor("owner"), line_of(review, "guest"), keep=False, reason='=HYPERLINK("x")')
    due(review)
    ending.close_due()
    review.refresh_from_db()
    return review


def test_a_sealed_result_refuses_to_be_changed(cast: Cast) -> None:
    review = sealed(cast)
    rows: list[tuple[Any, Any]] = [
        (Review.objects.filter(pk=review.pk), {"digest": "0" * 64}),
        (ReviewLine.objects.filter(review=review), {"state": "kept"}),
    ]
    for found, change in rows:
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            found.update(**change)
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            found._raw_delete(found.db)
    assert sealing.verify(review).holds


def test_the_digest_is_that_of_the_file_and_in_the_chain(cast: Cast) -> None:
    review = sealed(cast)
    lines = results.lines_of(review)
    data = results.as_json_lines(review, lines)
    assert results.digest(data) == review.digest
    assert results.digest(results.as_csv(lines)) == review.csv_digest
    entry = AuditEntry.objects.get(action="review.close")
    assert entry.after["digest"] == review.digest
    assert verify_chain(f"tenant:{cast.acme.pk}").holds
    documents = [json.loads(text) for text in data.decode().splitlines()]
    assert documents[0]["name"] == "Fourth quarter"
    assert [one["person"] for one in documents[1:]] == ["auditor", "developer", "guest", "owner", "releaser"]
    assert "'=HYPERLINK" in results.as_csv(lines).decode()


def as_the_master_of_the_database(statement: str, *values: Any) -> None:
    """What somebody does who may switch the triggers off."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for one in allow_statements(connection.vendor, table, "update"):
                cursor.execute(one)
        cursor.execute(statement, values)
        for table in TABLES:
            for one in refuse_statements(connection.vendor, table, "update", when=SEALED):
                cursor.execute(one)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenants_reviewline SET state = 'kept' WHERE person = 'guest'",
        "UPDATE tenants_reviewline SET decided_by = 'nobody' WHERE person = 'guest'",
        "UPDATE tenants_review SET name = 'Another'",
    ],
)
def test_tampering_is_found(cast: Cast, statement: str) -> None:
    review = sealed(cast)
    assert sealing.verify(review).holds
    as_the_master_of_the_database(statement)
    review.refresh_from_db()
    verdict = sealing.verify(review)
    assert (verdict.holds, verdict.fault) == (False, "changed")


def test_a_line_that_is_added_afterwards_is_found(cast: Cast) -> None:
    review = sealed(cast)
    line = line_of(review, "guest")
    later = Grant.objects.create(user=cast.guest, role="project.tester", tenant=cast.acme, project=cast.shop)
    line.pk, line.number, line.grant = None, 99, later
    line.id = review.pk
    line.save(force_insert=True)
    assert sealing.verify(review).fault == "changed"


def test_the_command_names_what_is_not_what_was_sealed(cast: Cast, tmp_path: Path) -> None:
    review = sealed(cast)
    said = StringIO()
    call_command("verify_reviews", stdout=said)
    assert review.digest in said.getvalue()
    file = tmp_path / "result.jsonl"
    file.write_bytes(results.files_of(review, "jsonl")[0])
    call_command("verify_reviews", file=file, stdout=said)
    assert "Fourth quarter, sealed by berth" in said.getvalue()
    file.write_bytes(file.read_bytes().replace(b"guest", b"gusst"))
    with pytest.raises(CommandError):
        call_command("verify_reviews", file=file, stdout=said)
    as_the_master_of_the_database("UPDATE tenants_reviewline SET state = 'kept' WHERE person = 'guest'")
    with pytest.raises(CommandError, match=str(review.pk)):
        call_command("verify_reviews", stdout=said)
