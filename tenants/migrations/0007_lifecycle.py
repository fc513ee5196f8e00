import django.db.models.deletion
import django.db.models.functions.datetime
import core.names
import core.rows
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What became of a project: since when, by whom, and what it goes back to."""

    dependencies = [("tenants", "0006_quota")]

    operations = [
        migrations.AddField(
            "project",
            "state_since",
            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField("project", "state_by", models.CharField(blank=True, max_length=150)),
        migrations.AddField("project", "state_reason", models.CharField(blank=True, max_length=500)),
        migrations.AddField("project", "earlier", models.CharField(blank=True, max_length=40)),
        migrations.AddField("project", "purged_at", models.DateTimeField(null=True)),
        migrations.RemoveConstraint("project", "project_name_in_tenant"),
        migrations.AddConstraint(
            "project",
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="project_name_in_tenant",
                condition=models.Q(purged_at__isnull=True),
            ),
        ),
        migrations.CreateModel(
            name="Robot",
            fields=[
                ("id", models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("name", models.CharField(max_length=40, validators=core.names.label_validators)),
                ("role", models.CharField(max_length=60)),
                ("made_by", models.CharField(blank=True, max_length=150)),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="robots", to="tenants.project"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="robot", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(removed_at__isnull=True),
                        fields=("project", "name"),
                        name="robot_name_in_project",
                    )
                ],
            },
        ),
    ]
