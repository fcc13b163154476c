"""Names of files that every system can hold, and tells apart."""

import re
import unicodedata

# The characters that Windows, macOS or Linux refuse, or would change: of a device's name, as con or
# lpt1.txt, the first.
UNSAFE = re.compile(
    r'[<>:"/\\|?*\x00-\x1f]|[. ]\Z|\A(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)).', re.IGNORECASE
)


def is_safe(name: str) -> bool:
    """Whether every system can give a file or folder this name."""
    return not UNSAFE.search(name)


def folded(name: str) -> str:
    """The name as file systems compare it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFC", name).casefold()
