"""Column types that mean the same on every database."""

from typing import Any

from django.db import models


class ExactCharField(models.CharField):
    """Text compared byte by byte. MySQL's default collation would take `evt_a` and `evt_A` for the same key."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
