"""Tables by path or URL: CSV, Parquet, JSON lines and Arrow files here, on S3 and at https addresses, and SQL."""

from slipway.sources.frames import to_frame
from slipway.sources.opening import OpenTable, open_table
from slipway.sources.reading import Sample, described, open_batches, peek, read_table

__all__ = ["OpenTable", "Sample", "described", "open_batches", "open_table", "peek", "read_table", "to_frame"]
