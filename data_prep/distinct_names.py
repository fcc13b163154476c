"""Names of recordings, their pieces and their speakers, of which no two are the same."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat

from voiceswap.results_log import short_hash


def piece_names(name: str, count: int) -> list[str]:
    """The names of a recording's pieces: its own, or, of several, with their numbers."""
    return [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]


def distinct_names(
    names: Sequence[str], origins: Sequence[str], counts: Sequence[int] | None = None
) -> list[str]:
    """The names, those with a hash of their origin that would be another's, or another's piece's.

    Args:
        names: as they were wanted.
        origins: what tells two of one name apart, such as their paths.
        counts: of the pieces of each; None takes one.
    """
    pieces = [piece_names(*named) for named in zip(names, counts or repeat(1), strict=False)]
    uses = Counter(chain.from_iterable(pieces))
    if max(uses.values(), default=1) == 1:
        return list(names)
    hashed = [
        name if all(uses[piece] == 1 for piece in own) else f"{name}-{short_hash(origin)}"
        for name, origin, own in zip(names, origins, pieces, strict=True)
    ]
    return distinct_names(hashed, origins, counts)  # a name with a hash may be another's, too
