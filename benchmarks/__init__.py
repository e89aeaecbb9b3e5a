"""Benchmarks: one script a figure. Each prints a table and writes ``results/<name>.json`` with machine, date, commit.

Run all with ``python -m benchmarks`` (``make bench``), or one with ``python -m benchmarks cold_start``. Absolute times
belong to a machine; what is compared is always run in one process after the other, on the same texts and model.
"""
