"""Convert many files: `voiceswap batch`, and `convert_folder` for Python.

from voiceswap.batch import BatchOptions, convert_folder
report = convert_folder("talks", ["anna.wav"], "talks-by-anna", BatchOptions(format="flac"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voiceswap.batch.options import BatchOptions
    from voiceswap.batch.progress import BatchProgress
    from voiceswap.batch.report import Report, Row, Status
    from voiceswap.batch.run import convert_folder

__all__ = ["BatchOptions", "BatchProgress", "Report", "Row", "Status", "convert_folder"]
_HOMES = {
    "BatchOptions": "options",
    "BatchProgress": "progress",
    "Report": "report",
    "Row": "report",
    "Status": "report",
    "convert_folder": "run",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first used; the command line imports this package."""
    if name not in _HOMES:
        raise AttributeError(f"module 'voiceswap.batch' has no attribute {name!r}")
    return getattr(import_module(f"voiceswap.batch.{_HOMES[name]}"), name)
