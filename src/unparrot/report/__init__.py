"""The page: one self-contained HTML file that lays out what a run folder holds.

Nothing is computed here; every number comes from ``summary.json``, ``manifest.json`` or
``training.parquet``. The one entry point is `unparrot.report.page.write_page`.
"""
