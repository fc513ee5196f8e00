import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A token knows the token it was made with, and ends with it."""

    dependencies = [("tenants", "0012_groups")]

    operations = [
        migrations.AddField(
            "token",
            "made_with",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.token"
            ),
        ),
    ]
