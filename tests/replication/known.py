"""One of everything there is of registries elsewhere, for tests that walk through all addresses."""

from core.secrets import Secret
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from tests.conftest import Cast

KEPT = "canary-registry-4711"


def replicated(cast: Cast) -> dict[str, str]:
    """What stands for their gaps in addresses."""
    whose = {"tenant": cast.acme, "project": cast.shop}
    row = RemoteRegistry(**whose, name="elsewhere", address="https://registry.test", user="mirror")
    row.secret = Secret(KEPT)
    row.save()
    own = ReplicationRule.objects.create(**whose, name="mirror", registry=row, direction="pull")
    run = ReplicationRun.objects.create(**whose, rule=own)
    copy = ImageCopy.objects.create(
        **whose, registry=row, host="registry.test", remote="team/web", path="acme/shop/web", reference="1", tag="1"
    )
    return {"registry": "elsewhere", "rule": "mirror", "run": str(run.pk), "copy": str(copy.pk)}
