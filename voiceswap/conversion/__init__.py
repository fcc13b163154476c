"""Recordings and voices: analysis, the conversion itself, and what a Python user holds."""
