from django.db import migrations, models


class Migration(migrations.Migration):
    """Where a digest runs is asked for by every page of images."""

    dependencies = [("apps", "0007_cluster_offers")]

    operations = [
        migrations.AddIndex(
            model_name="releaseimage", index=models.Index(fields=["digest"], name="release_image_digest")
        ),
    ]
