import core.rows
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


def as_before(apps, schema_editor):
    """What tenants could choose until now: the oldest cluster, and those that they have environments on."""
    cluster_model, offer = apps.get_model("backends", "Cluster"), apps.get_model("apps", "ClusterOffer")
    oldest = cluster_model.objects.order_by("id").first()
    if oldest is None:
        return
    offer.objects.create(cluster=oldest, tenant=None)
    used = apps.get_model("apps", "Environment").objects.exclude(cluster=oldest).order_by()
    for cluster_id, tenant_id in used.values_list("cluster_id", "tenant_id").distinct():
        offer.objects.create(cluster_id=cluster_id, tenant_id=tenant_id)


class Migration(migrations.Migration):
    """Which tenants may put environments on which clusters."""

    dependencies = [("apps", "0006_held"), ("backends", "0003_kubernetes"), ("tenants", "0013_token_made_with")]

    operations = [
        migrations.CreateModel(
            name="ClusterOffer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="backends.cluster"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("cluster", "tenant"), name="cluster_offered_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("tenant__isnull", True)),
                        fields=("cluster",),
                        name="cluster_offered_to_all_once",
                    ),
                ],
            },
        ),
        migrations.RunPython(as_before, migrations.RunPython.noop, elidable=False),
    ]
