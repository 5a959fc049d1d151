"""Tables for the chapters: `table(rows, columns)` of the lowest room, so that measurements and
comparisons show themselves with it too."""

from inception_edu.describe.tables import Table, table

__all__ = ["Table", "table"]
