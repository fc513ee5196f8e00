from django.db import migrations

from core.triggers import refuse


class Migration(migrations.Migration):
    dependencies = [("apps", "0002_initial")]
    operations = [
        refuse("apps_release", "update", "delete"),
        refuse("apps_releaseimage", "update", "delete"),
    ]
