import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """What became of a project: since when, by whom, and what it goes back to."""

    dependencies = [("tenants", "0003_people_and_notices")]

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
    ]
