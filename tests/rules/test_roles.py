"""Who may do what: the whole table, so that no change of a role or a command goes unseen."""

import pytest

from tenants.roles import PERMISSIONS, ROLES
from tests.rules import matrix
from tests.rules.sources import told


def test_roles_and_commands_are_as_agreed() -> None:
    assert matrix.table() == matrix.FILE.read_text(), (
        "Who may do what has changed. If that is wanted: .venv/bin/python -m tests.rules.matrix, "
        "and let somebody review the difference."
    )


def test_every_permission_a_command_asks_for_exists() -> None:
    unknown = [f"{name}: {code}" for name, codes in matrix.requirements() for code in codes if code not in PERMISSIONS]
    assert not unknown, told(unknown, "Add these to PERMISSIONS in tenants/roles.py, or correct the command:")


def test_roles_are_made_of_permissions_that_exist() -> None:
    unknown = [f"{role.key}: {code}" for role in ROLES.values() for code in sorted(role.permissions - set(PERMISSIONS))]
    assert not unknown, told(unknown, "Correct these roles in tenants/roles.py:")


OF_AUDITORS = {
    "request.approve of kind review",  # what an owner took at once
    "request.reject of kind review",
    "review.answer of tenant.owner",  # of the only one, whom nobody else could confirm
    "review.call_off",
    "review.close",
    "review.start",
}


@pytest.mark.parametrize("role", [role for role in ROLES.values() if role.key.endswith(("auditor", "guest", "member"))])
def test_roles_that_look_change_nothing(role: object) -> None:
    """An auditor, guest or member may do nothing that is not their own account's."""
    own_permissions = role.permissions
    may = [name for name, codes in matrix.requirements() if set(codes) & own_permissions and name not in OF_AUDITORS]
    assert not may, told(may, f"{role} is only to look, but may:")
