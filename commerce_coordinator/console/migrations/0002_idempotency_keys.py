import commerce_coordinator.core.fields
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0001_operator_rights"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("key", commerce_coordinator.core.fields.ExactCharField(max_length=64, primary_key=True, serialize=False)),
                ("payload", models.CharField(max_length=64)),
                ("dispatch_id", models.UUIDField()),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={"default_permissions": ()},
        ),
    ]
