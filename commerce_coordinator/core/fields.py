"""Column types that mean the same on every database."""

from typing import Any

from django.db import models


class ExactCharField(models.CharField):
    """Text compared byte by byte.

    MySQL's default collation would take `evt_a` and `evt_A` for the same key, and its older binary ones `evt_a` and
    `evt_a ` with a space behind.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"
        return parameters
