"""Where a buyer's orders are read from: every system of record by a step of its own."""
