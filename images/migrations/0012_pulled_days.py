from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("images", "0011_ways_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="retentionrule",
            name="pulled_days",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
