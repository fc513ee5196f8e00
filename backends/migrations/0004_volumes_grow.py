from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('backends', '0003_kubernetes'),
    ]

    operations = [
        migrations.AddField(
            model_name='cluster',
            name='volumes_grow',
            field=models.BooleanField(null=True),
        ),
    ]
