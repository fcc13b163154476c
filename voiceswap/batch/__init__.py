"""Convert many files: `voiceswap batch`, and `convert_folder` for Python.

from voiceswap.batch import BatchOptions, convert_folder
report = convert_folder("talks", ["anna.wav"], "talks-by-anna", BatchOptions(format="flac"))
"""

from voiceswap.batch.options import BatchOptions
from voiceswap.batch.progress import BatchProgress
from voiceswap.batch.report import Report, Row, Status
from voiceswap.batch.run import convert_folder

__all__ = ["BatchOptions", "BatchProgress", "Report", "Row", "Status", "convert_folder"]
