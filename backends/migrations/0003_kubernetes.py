from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('backends', '0002_looked_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='cluster',
            name='kind',
            field=models.CharField(choices=[('swarm', 'Docker Swarm'), ('kubernetes', 'Kubernetes'), ('fake', 'in memory, for tests')], max_length=12),
        ),
    ]
