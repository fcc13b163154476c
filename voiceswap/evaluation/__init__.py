"""Measuring voice conversion: metrics, the protocol, and the report.

The metrics come from kept libraries, the `eval` extra; each is imported when it is first needed, and the metrics of
one that is missing are left out.
"""
