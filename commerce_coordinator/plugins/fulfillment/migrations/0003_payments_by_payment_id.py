from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fulfillment", "0002_failed_refunds_and_disputes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["payment_id"], name="payment_by_payment_id"),
        ),
    ]
