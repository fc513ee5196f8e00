"""Audit entries for people: a page of them, one with its neighbours and relatives, and how far the chain is proven."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.selectors.paging import Page, page_of
from apps.selectors.reasons import failure_sentence
from audit.models import AuditEntry, ChainHead
from audit.verified import Checked, last_checked
from audit.words import action_words
from core.status import Status
from core.wording import moment_text

MOST_RELATIVES = 20
SHOWN_DETAIL = 12


@dataclass(frozen=True)
class EntryLine:
    entry: AuditEntry
    what: str
    status: Status
    on: str


@dataclass(frozen=True)
class EntrySheet:
    """One entry opened: neighbours by number (None at the ends), texts before and after, facts of its detail."""

    line: EntryLine
    earlier: int | None
    later: int | None
    before: str
    after: str
    facts: list[tuple[str, str]]
    relatives: list[EntryLine]

    @property
    def entry(self) -> AuditEntry:
        return self.line.entry


@dataclass(frozen=True)
class Proof:
    """`known` is False where nobody has looked; then `holds` says nothing."""

    title: str
    detail: str
    holds: bool
    known: bool = True


def chain_of(tenant_id: uuid.UUID) -> str:
    return f"tenant:{tenant_id}"


def entries_page(rows: "QuerySet[AuditEntry]", *, cursor: str) -> tuple[list[EntryLine], Page[AuditEntry]]:
    page = page_of(rows, key="seq", cursor=cursor)
    return [line_of(entry) for entry in page.rows], page


def line_of(entry: AuditEntry) -> EntryLine:
    return EntryLine(entry, _what(entry), Status.of(entry.result), entry.target_name or entry.target_kind)


def _what(entry: AuditEntry) -> str:
    """The action, with the release it was about where it names one."""
    words = action_words(entry.action)
    release = entry.after.get("release") if isinstance(entry.after, dict) else None
    if isinstance(release, int) and entry.action.startswith("app."):
        return _("%(action)s, release %(release)s") % {"action": words, "release": release}
    return words


def sheet_of(entry: AuditEntry, rows: "QuerySet[AuditEntry]") -> EntrySheet:
    """`rows`: the entries among which one goes earlier and later. Three queries."""
    numbers = rows.filter(chain=entry.chain).values_list("seq", flat=True)
    return EntrySheet(
        line=line_of(entry),
        earlier=numbers.filter(seq__lt=entry.seq).order_by("-seq").first(),
        later=numbers.filter(seq__gt=entry.seq).order_by("seq").first(),
        before=as_lines(entry.before),
        after=as_lines(entry.after),
        facts=_facts(entry.detail),
        relatives=_relatives(entry),
    )


def _relatives(entry: AuditEntry) -> list[EntryLine]:
    """Entries of the same request: what was asked and how it ended."""
    if not entry.request_id:
        return []
    rows = AuditEntry.objects.filter(chain=entry.chain, request_id=entry.request_id).order_by("-seq")
    found = [line_of(row) for row in rows[:MOST_RELATIVES]]
    return found if len(found) > 1 else []


def as_lines(document: Any) -> str:
    """A stored document as text that can be compared line by line; empty for none."""
    if document in (None, {}, []):
        return ""
    if isinstance(document, dict):
        return "\n".join(f"{name}: {_one(value)}" for name, value in sorted(document.items()))
    return _one(document)


def _one(value: Any) -> str:
    if value in (None, {}, []):
        return _("none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _facts(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What the entry says besides; a stored failure as its sentence."""
    facts = []
    for name, value in sorted(detail.items())[:SHOWN_DETAIL]:
        if name == "failure" and isinstance(value, dict):
            facts.append((name, failure_sentence(value).sentence))
        elif value not in ("", None, [], {}):
            facts.append((name, _one(value)))
    return facts


def proof_of(chain: str) -> Proof:
    """How far the chain is known to be whole, and since when that is known."""
    checked = last_checked(chain)
    head = ChainHead.objects.filter(chain=chain).values_list("seq", flat=True).first() or 0
    if checked is None:
        detail = _("%(count)s entries; nobody has verified them since this portal was started.") % {"count": head}
        return Proof(_("Not verified yet"), detail, holds=True, known=False)
    return _proof(checked, head)


def _proof(checked: Checked, head: int) -> Proof:
    when = moment_text(checked.at, style="full")
    words = {"seq": checked.seq, "when": when, "person": checked.person}
    if not checked.holds:
        title = _("The chain is broken at entry %(seq)s") % {"seq": checked.bad_seq}
        detail = _("it was changed, or one is missing there; found by %(person)s on %(when)s") % words
        return Proof(title, detail, holds=False)
    title = _("Chain verified until entry %(seq)s") % words
    more = head - checked.seq
    if more <= 0:
        return Proof(title, _("by %(person)s on %(when)s; nothing was added since") % words, holds=True)
    text = ngettext(
        "by %(person)s on %(when)s; %(more)s entry was added since",
        "by %(person)s on %(when)s; %(more)s entries were added since",
        more,
    )
    return Proof(title, text % (words | {"more": more}), holds=True)
