"""Which contents lie under a wrapping key, and what became of a commitment, without reading every row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_rules")]

    operations = [
        migrations.AddIndex("erasure", models.Index(fields=["commitment"], name="erasure_commitment")),
        migrations.AddIndex(
            "payload",
            models.Index(
                models.Func(
                    models.F("wrapped"), output_field=models.BinaryField(), template="substr(%(expressions)s, 1, 8)"
                ),
                name="payload_wrapped_under",
            ),
        ),
    ]
