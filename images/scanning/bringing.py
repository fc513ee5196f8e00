"""Has advisories read from what an operator brings: many small steps, then one entry of the audit."""

from pathlib import Path

from audit.commands import check_before
from core.access import Actor
from images.scanning.advisories.importing import Outcome, take_in
from images.scanning.services import import_advisories


def bring_advisories(actor: Actor, source: Path) -> Outcome:
    """Read a file or folder of advisories. Where it breaks off, what was written stays and counts as read."""
    check_before(import_advisories, actor, None)
    outcome = take_in(source)
    import_advisories(actor, None, source=source.name, outcome=outcome)
    return outcome
