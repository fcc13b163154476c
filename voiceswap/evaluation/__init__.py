"""Evaluation of voice conversion: metrics, the protocol, and the report.

Most metrics are computed by published libraries, the `eval` extra. Each is imported when it is
first needed; the metrics of a library that is missing are left out.
"""
