"""Whose a row is, and that tables and models agree."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from portal.checks import every_model_says_whose_its_rows_are, our_models
from tests.rules.sources import told

# Models without a tenant column of their own, and why.
WITHOUT_A_TENANT = {
    "audit.ChainHead": "one line per chain, of the platform",
    "backends.Cluster": "shared by tenants; the operator's",
    "backends.Host": "a machine of a cluster; the operator's",
    "images.Advisory": "public knowledge, the same for all",
    "images.AdvisoryFeed": "likewise",
    "images.AffectedPackage": "likewise",
    "images.Artifact": "its repository's",
    "images.ArtifactPart": "its artifact's",
    "images.ArtifactPulls": "its artifact's",
    "images.Builder": "its cluster's; the operator's",
    "images.BuildLog": "its build's",
    "images.ImagePart": "digests of a name in the registry; nobody lists them",
    "images.PushTurn": "a turn at a name in the registry; nobody lists them",
    "images.Decision": "its promotion's",
    "images.LookedLayer": "named by digests of its content; the same for whoever has it",
    "images.BaseImage": "its repository's",
    "images.RegistryEvent": "told by the registry, of a name that nobody has looked up yet",
    "images.Share": "its repository's",
    "images.Scan": "its artifact's",
    "images.ScanFinding": "its scan's",
    "images.ScanPackage": "its scan's",
    "images.Tag": "its repository's",
    "operations.OperationEvent": "its operation's",
    "operations.RememberedAnswer": "found by actor and key only; gone after a day",
    "apps.ReleaseImage": "its release's",
    "apps.ServiceName": "its environment's",
    "tenants.Organization": "holds tenants",
    "tenants.Tenant": "is one",
    "tenants.RoleMapping": "of the platform; the operator's",
    "tenants.SyncState": "one line, of the platform",
    "tenants.Session": "its person's",
    "observe.UsageChunk": "its series'",
    "apps.KeptChunk": "its log's",
    "tenants.User": "may belong to several tenants",
}


def test_every_model_says_whose_its_rows_are() -> None:
    faults = [str(message.msg) for message in every_model_says_whose_its_rows_are(None)]
    assert not faults, told(faults, "Declare `scope` and `view_permission` on these (core/access.py):")


def test_every_row_of_a_tenant_carries_its_tenant() -> None:
    without = {model._meta.label for model in our_models() if not hasattr(model, "tenant_id")}
    new, gone = sorted(without - set(WITHOUT_A_TENANT)), sorted(set(WITHOUT_A_TENANT) - without)
    assert not new, told(new, "Copy tenant_id down to these at creation, or say in WITHOUT_A_TENANT why not:")
    assert not gone, told(gone, "Take these out of WITHOUT_A_TENANT:")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said)
    except SystemExit:
        pytest.fail(f"Run ./berth manage makemigrations and commit what it makes:\n{said.getvalue()}")


def test_all_system_checks_pass() -> None:
    try:
        call_command("check", fail_level="WARNING", stdout=io.StringIO())
    except SystemCheckError as error:
        pytest.fail(f"./berth manage check says:\n{error}")
