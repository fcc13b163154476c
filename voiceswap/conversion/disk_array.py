"""Arrays that may be too long for memory."""

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np

from voiceswap.errors import AudioError

MEMORY = 32 << 20  # bytes held in memory before an array goes to disk


class DiskArray:
    """An array (rows, *shape) that grows at its end and is read in slices.

    Beyond 32 MiB it lives in a temporary file.
    """

    def __init__(self, dtype: type, *shape: int):
        self.dtype, self.shape = np.dtype(dtype), shape
        self.file = tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115, closed with the array
        weakref.finalize(self, self.file.close)
        self.row_bytes = self.dtype.itemsize * int(np.prod(shape, initial=1))
        self.rows = 0

    @classmethod
    def of(cls, blocks: Iterable[np.ndarray], dtype: type, *shape: int) -> Self:
        """An array of the rows that come in blocks."""
        array = cls(dtype, *shape)
        for block in blocks:
            array.append(block)
        return array

    def __len__(self) -> int:
        return self.rows

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end. Raises AudioError when the disk is full."""
        rows = np.ascontiguousarray(rows, self.dtype)
        try:
            self.file.seek(0, 2)
            self.file.write(rows.data)
        except OSError as error:
            raise AudioError(
                f"The folder for temporary files, {tempfile.gettempdir()}, can't hold the "
                f"recording ({error.strerror})."
            ) from error
        self.rows += len(rows)

    def read(self, first: int, last: int) -> np.ndarray:
        """A copy of rows `first` up to `last`, clipped to what there is."""
        first, last = max(first, 0), min(last, self.rows)
        self.file.seek(first * self.row_bytes)
        rows = np.empty((max(last - first, 0), *self.shape), self.dtype)
        self.file.readinto(rows.data)
        return rows

    def blocks(self, longest: int) -> Iterator[np.ndarray]:
        """Copies of all rows in order, `longest` at a time."""
        return (self.read(first, first + longest) for first in range(0, self.rows, longest))
