from django.db import migrations, models


class Migration(migrations.Migration):
    """What was stopped with its whole project, and is to run again with it."""

    dependencies = [("apps", "0005_events"), ("tenants", "0007_lifecycle")]

    operations = [migrations.AddField("appenvironment", "held", models.BooleanField(default=False))]
