from django.db import migrations

from core.triggers import refuse


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [refuse("audit_auditentry", "update", "delete")]
