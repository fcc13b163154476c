"""Error rates of transcripts."""

import difflib
import unicodedata
from functools import cache

CAP = 1.5  # limits the weight of a transcript that repeats itself without end
SPACELESS = {"zh", "ja", "th"}  # languages without spaces: characters are compared, not words


def normalise(text: str, language: str = "en") -> str:
    """Text for comparison: lower-case letters and apostrophes, with single spaces.

    Languages without spaces keep letters and digits, and Mandarin becomes simplified characters.

    Raises:
        ImportError: opencc is missing, for Mandarin.
    """
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    if language == "zh":
        text = _simplifier().convert(text)
    if language in SPACELESS:
        return "".join(filter(_is_kept, text))
    kept = (c if c == "'" or (_is_kept(c) and not c.isdigit()) else " " for c in text)
    return " ".join("".join(kept).split())


def _is_kept(character: str) -> bool:
    """Whether it is a letter, a digit, or a mark on one, as vowels are in Thai and Hindi."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def respell_digits(text: str, recognised: str) -> str:
    """`text` with numbers in digits where `recognised` has digits.

    Whether a recogniser writes 八 or 8 does not depend on the conversion.

    Args:
        text: normalised.
        recognised: a normalised transcript of the same words.
    """
    pieces = []
    for kind, start, end, other_start, other_end in difflib.SequenceMatcher(
        None, text, recognised, autojunk=False
    ).get_opcodes():
        other = recognised[other_start:other_end]
        pieces.append(other if kind == "replace" and other.isdecimal() else text[start:end])
    return "".join(pieces)


def error_rates(
    text: str, transcript: str, language: str = "en", recognised: str = ""
) -> dict[str, float]:
    """Character and word error rate of a transcript, each at most 1.5.

    Args:
        text: the true text.
        transcript: of the conversion.
        language: of both, such as "en".
        recognised: transcript of the source recording, which decides how numbers are spelt in
            languages without spaces.

    Returns:
        "cer", and "wer" for languages with spaces; empty if `text` has no letters.

    Raises:
        ImportError: jiwer is missing, or for Mandarin opencc.
    """
    import jiwer

    reference, hypothesis = normalise(text, language), normalise(transcript, language)
    if language in SPACELESS and recognised:
        reference = respell_digits(reference, normalise(recognised, language))
    if not reference:
        return {}
    rates = {"cer": min(CAP, float(jiwer.cer(reference, hypothesis)))}
    if language not in SPACELESS:
        rates["wer"] = min(CAP, float(jiwer.wer(reference, hypothesis)))
    return rates


@cache
def _simplifier():
    import opencc

    return opencc.OpenCC("t2s")
