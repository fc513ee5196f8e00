"""What was written can be read as written, or the verifier names the first place where it cannot."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit.chain import verify
from audit.models import AuditEntry, ChainHead
from audit.services import Line, record
from core.access import SYSTEM
from core.triggers import Deed, allow_statements
from tests.conftest import Cast

TABLE = "audit_auditentry"


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def lift(deed: Deed) -> None:
    """What somebody with the database's own keys could do."""
    for statement in allow_statements(connection.vendor, TABLE, deed):
        run(statement)


def chain_of(cast: Cast) -> str:
    return f"tenant:{cast.acme.pk}"


def test_a_chain_that_nobody_touched_holds(cast: Cast) -> None:
    verdict = verify(chain_of(cast))
    assert verdict.holds
    assert verdict.entries == AuditEntry.objects.filter(tenant_id=cast.acme.pk).count() > 0


@pytest.mark.parametrize("change", ["UPDATE audit_auditentry SET actor_name = 'x'", "DELETE FROM audit_auditentry"])
def test_the_database_refuses_to_change_an_entry(cast: Cast, change: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        run(change)
    assert verify(chain_of(cast)).holds


def test_an_edited_entry_is_named(cast: Cast) -> None:
    lift("update")
    entry = AuditEntry.objects.filter(chain=chain_of(cast)).order_by("seq")[1]
    AuditEntry.objects.filter(pk=entry.pk).update(actor_name="somebody else")
    assert (verify(chain_of(cast)).bad_seq, verify(chain_of(cast)).fault) == (entry.seq, "changed")


def test_a_removed_entry_is_named(cast: Cast) -> None:
    lift("delete")
    AuditEntry.objects.filter(chain=chain_of(cast), seq=2).delete()
    assert (verify(chain_of(cast)).bad_seq, verify(chain_of(cast)).fault) == (2, "missing")


def test_removed_newest_entries_are_noticed(cast: Cast) -> None:
    lift("delete")
    head = ChainHead.objects.get(chain=chain_of(cast))
    AuditEntry.objects.filter(chain=chain_of(cast), seq=head.seq).delete()
    assert (verify(chain_of(cast)).bad_seq, verify(chain_of(cast)).fault) == (head.seq, "missing")


def test_the_command_names_the_bad_entry_and_fails(cast: Cast) -> None:
    lift("update")
    AuditEntry.objects.filter(chain=chain_of(cast), seq=1).update(result="done", action="app.deploy")
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=said)
    assert f"{chain_of(cast)}: entry 1 is changed" in said.getvalue()
    assert "platform" not in said.getvalue().split("entry 1")[0] or "all in order" in said.getvalue()


def test_an_action_without_a_name_is_not_written(db: None) -> None:
    with pytest.raises(ValueError, match="not registered"):
        record(SYSTEM, Line("made.up"), result="done")


def test_chains_of_two_tenants_do_not_touch(cast: Cast) -> None:
    assert verify(f"tenant:{cast.globex.pk}").holds
    mine = set(AuditEntry.objects.filter(chain=chain_of(cast)).values_list("tenant_id", flat=True))
    assert mine == {cast.acme.pk}
