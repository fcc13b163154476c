"""Error rates of recognised speech."""

import difflib
import re
import unicodedata
from functools import cache

CAP = 1.5  # a recogniser that rambles on must not outweigh the other utterances
SPACELESS = {
    "zh",
    "ja",
    "th",
}  # languages written without spaces: characters are compared, words are not


def normalise(text: str, language: str = "en") -> str:
    """Lower-cased letters and apostrophes with single spaces; Mandarin as simplified characters and digits, no spaces.

    Mandarin raises ImportError without opencc.
    """
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    if language == "zh":
        text = _simplifier().convert(text)
    if language in SPACELESS:
        return "".join(character for character in text if character.isalnum())
    return " ".join(re.sub(r"[^\w' ]|[\d_]", " ", text).split())


def respell_digits(text: str, recognised: str) -> str:
    """`text` with numbers written in digits where `recognised`, a transcript of the same words, writes them so.

    Both normalised. Whether a recogniser writes 八 or 8 says nothing about a conversion.
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
    """CER and WER of `transcript` against `text`, each at most 1.5; languages without spaces have no WER.

    `recognised` is the transcript of the source recording, from which Mandarin numbers take their spelling. Empty when
    `text` has no letters. Raises ImportError without jiwer, and for Mandarin without opencc.
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
