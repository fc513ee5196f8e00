import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.migrations.state import StateApps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_keepers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who made a robot keeps it. Where nobody has that name any more it stands still until somebody takes it over."""
    robots, users = apps.get_model("tenants", "Robot"), apps.get_model("tenants", "User")
    makers = users.objects.filter(username=OuterRef("made_by")).exclude(source="robot").values("pk")[:1]
    robots.objects.update(keeper=Subquery(makers))


class Migration(migrations.Migration):
    """A robot has a keeper, and a token may be barred from a tenant."""

    dependencies = [("tenants", "0010_review")]

    operations = [
        migrations.AddField(
            "robot",
            "keeper",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="robots_kept",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("token", "barred", models.TextField(blank=True, db_default="", default="")),
        migrations.RunPython(name_keepers, migrations.RunPython.noop),
    ]
