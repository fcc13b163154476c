"""What commands print: names of files can hold anything, terminals can't show everything."""

import sys


def plain(text: object) -> str:
    """One line, of characters that the terminal takes; others are replaced."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)
