"""The corpora: where each keeps its recordings, and whose voices they are."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from data_prep.distinct_names import distinct_names
from data_prep.manifests import Corpus, CorpusRecording, audio_files, write_manifests
from data_prep.speech_check import Checks
from voiceswap.errors import DataError

Found = tuple[list[CorpusRecording], dict[str, str]]  # recordings; why other files can't be used
Find = Callable[[Path], Found]


class Layout(NamedTuple):
    """How a corpus is distributed.

    Attributes:
        licence: of the corpus.
        lacking: what a folder without its recordings does not hold, and which one to give.
        find: what there is in a folder; the first line of its text says which folder to give.
    """

    licence: str
    lacking: str
    find: Find


CORPORA: dict[str, Layout] = {}  # by the names of their commands


def prepare(
    command: str, folder: Path, out: Path, checks: Checks, name: str | None
) -> dict[str, int | str]:
    """Write the manifests of one of CORPORA, under its usual name or another.

    Arguments and errors are those of `write_manifests`; DataError also for a folder of another
    layout.
    """
    corpus = CORPORA[command]
    recordings, unused = corpus.find(folder)
    if not recordings and corpus.lacking:
        raise DataError(f"{folder} holds no {corpus.lacking}.")
    given = folder.resolve().name
    languages = {"common-voice": given, "mls": given.removeprefix("mls_").removesuffix("_opus")}
    usual = f"{command}-{languages[command]}" if command in languages else command
    return write_manifests(recordings, Corpus(name or usual, corpus.licence), out, checks, unused)


def _corpus(command: str, licence: str, lacking: str) -> Callable[[Find], Find]:
    """Adds what a function finds to CORPORA."""

    def add(find: Find) -> Find:
        CORPORA[command] = Layout(licence, lacking, find)
        return find

    return add


@_corpus(
    "speakers",
    "not stated",
    "SPEAKER/RECORDING files; if the speakers are unknown, use: python -m data_prep recordings",
)
def _speakers(folder: Path) -> Found:
    """A folder with a folder for each speaker; --name tells several such folders apart.

    SPEAKER/*.wav, flac, ogg, mp3 and so on.
    """
    found = audio_files(folder)
    loose = {str(path): "in no speaker's folder" for path in found if path.parent == folder}
    return [
        CorpusRecording(path.relative_to(folder).parts[0], path)
        for path in found
        if path.parent != folder
    ], loose


@_corpus("recordings", "not stated", "recordings")
def _recordings(folder: Path) -> Found:
    """Recordings of unknown speakers; each is taken as another speaker.

    Training takes two segments of every speaker, so recordings under about 5 s are of no use here.
    Where one person speaks in several files, sort the files into folders by speaker and use
    `speakers`: the contrastive loss pushes the codes of different speakers apart.
    """
    files = audio_files(folder)
    inside = [path.relative_to(folder) for path in files]
    names = ["-".join(path.with_suffix("").parts) for path in inside]
    # A talk.wav and a talk.mp3, or an a-b.wav and an a/b.wav, are two speakers.
    speakers = distinct_names(names, [path.as_posix() for path in inside])
    return list(map(CorpusRecording, speakers, files)), {}


@_corpus(
    "librispeech",
    "CC BY 4.0",
    "SPEAKER/CHAPTER/*.flac; give a part such as LibriSpeech/train-clean-100",
)
def _librispeech(folder: Path) -> Found:
    """One part of LibriSpeech, such as LibriSpeech/train-clean-100.

    PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, 16 kHz. A part, not the whole corpus, so that
    test parts are never trained on by accident. The recordings were MP3 files before, so there is
    little above 7 kHz. Parts share no speakers.
    """
    return _three_deep(folder), {}


@_corpus(
    "libritts", "CC BY 4.0", "SPEAKER/CHAPTER/*.wav; give a part such as LibriTTS/train-clean-360"
)
def _libritts(folder: Path) -> Found:
    """One part of LibriTTS or LibriTTS-R, such as LibriTTS/train-clean-360.

    PART/SPEAKER/CHAPTER/SPEAKER_CHAPTER_PARAGRAPH_SENTENCE.wav, 24 kHz. It has LibriSpeech's
    speakers, under the same numbers: don't train on one and test on the other. The archives contain
    `._` files without audio, which are skipped, and one damaged wave file
    (1092_134562_000013_000004), which is reported as left out.
    """
    return _three_deep(folder), {}


@_corpus(
    "vctk", "CC BY 4.0", "wav48_silence_trimmed/SPEAKER/*_mic1.flac; give the folder of VCTK 0.92"
)
def _vctk(folder: Path) -> Found:
    """VCTK 0.92, the folder with wav48_silence_trimmed in it.

    wav48_silence_trimmed/SPEAKER/SPEAKER_NUMBER_micN.flac, 48 kHz, 110 speakers of English. Every
    sentence was recorded by two microphones at once. The first is used, since p280 and p315 lack
    the second. End pauses are already cut. All speakers read the same first 24 sentences.
    """
    return [
        CorpusRecording(path.parent.name, path, path.stem.removesuffix("_mic1"))
        for path in folder.glob("wav48_silence_trimmed/*/*_mic1.flac")
    ], {}


@_corpus("aishell3", "Apache-2.0", "train/wav/SPEAKER/*.wav; give the folder of AISHELL-3")
def _aishell3(folder: Path) -> Found:
    """AISHELL-3, the folder with train and test in it.

    {train,test}/wav/SPEAKER/SPEAKERNUMBER.wav, 44.1 kHz, 218 speakers of Mandarin. Its own train
    and test parts share speakers, so both are read, and split again by speaker.
    """
    files = folder.glob("*/wav/SSB*/*.wav")
    return [CorpusRecording(path.parent.name, path) for path in files], {}


@_corpus(
    "cmu-arctic", "free for any use, with its notice kept (CMU)", "cmu_us_SPEAKER_arctic/wav/*.wav"
)
def _cmu_arctic(folder: Path) -> Found:
    """CMU ARCTIC, a folder with cmu_us_*_arctic folders in it.

    cmu_us_SPEAKER_arctic/wav/arctic_[ab]NUMBER.wav, 16 kHz. Up to 18 speakers of English read the
    same 1,132 sentences, so file names repeat: good for parallel tests. Some archives also have
    `orig/`, with the electroglottograph as a second channel; only `wav/` is used. Folders of older
    releases have a version after `arctic`.
    """
    files = folder.glob("cmu_us_*_arctic*/wav/*.wav")
    return [CorpusRecording(path.parts[-3].split("_")[2], path) for path in files], {}


@_corpus("common-voice", "CC0 1.0", "")
def _common_voice(folder: Path) -> Found:
    """One language of Common Voice, such as cv-corpus-21.0/pl.

    LANGUAGE/validated.tsv and LANGUAGE/clips/*.mp3, mostly 48 or 32 kHz. Volunteers recorded it on
    their own devices: expect noise, echo and MP3 artefacts. A `client_id` is one account on one
    device, nearly always one person. Only clips that listeners validated are used. Clips that are
    listed but missing, and rows that are not whole, are reported as left out.
    """
    table = folder / "validated.tsv"
    if not table.is_file():
        raise DataError(
            f"{folder} holds no validated.tsv; give one language of Common Voice, such as "
            "cv-corpus-21.0/pl."
        )
    recordings, incomplete = [], {}
    # Without quoting: sentences contain single quotation marks. A table that was cut off may end
    # within a character, or with null characters.
    with open(table, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        lines = (line.rstrip("\r\n\0").split("\t") for line in file)
        columns = next(lines, [])
        if not {"client_id", "path"} <= set(columns):
            raise DataError(f"{table} lacks the columns client_id and path.")
        for number, values in enumerate(lines, 2):
            row = dict(zip(columns, values, strict=False))
            account, clip = row.get("client_id"), row.get("path")
            if account and clip:
                # The first 16 of an account's 128 hexadecimal digits are unique.
                recordings.append(CorpusRecording(account[:16], folder / "clips" / clip))
            elif any(values):
                incomplete[f"{table}, line {number}"] = "lacks a client_id or a path"
    return recordings, incomplete


@_corpus(
    "esd",
    "research only, by agreement with its authors",
    "0001/EMOTION/*.wav; give the folder of the Emotional Speech Dataset",
)
def _esd(folder: Path) -> Found:
    """The Emotional Speech Dataset, the folder with 0001 to 0020 in it.

    SPEAKER/EMOTION/[PART/]SPEAKER_NUMBER.wav, 16 kHz. Speakers 0001 to 0010 speak Mandarin, 0011 to
    0020 English. Each of the 20 reads 350 sentences in five emotions; few corpora of emotional
    speech are as clean. One release has the folders train, evaluation and test below an emotion.
    They share speakers, so all are read, and split again by speaker.
    """
    parts = {path: path.relative_to(folder).parts for path in audio_files(folder)}
    return [
        CorpusRecording(inside[0], path)
        for path, inside in parts.items()
        if inside[0].isdigit() and len(inside) in (3, 4)
    ], {}


@_corpus(
    "jvs",
    "research and personal use (CC BY-SA 4.0 for its texts)",
    "jvs001/parallel100/wav24kHz16bit/*.wav; give the folder jvs_ver1",
)
def _jvs(folder: Path) -> Found:
    """JVS, the folder with jvs001 to jvs100 in it.

    SPEAKER/STYLE/wav24kHz16bit/NAME.wav, 24 kHz, 100 speakers of Japanese. Only `parallel100` and
    `nonpara30` are read: `whisper10` has no pitch, and the pitch of `falset10` is not the speaker's
    usual one. Styles share file names, so a recording's name includes its style.
    """
    return [
        CorpusRecording(path.parts[-4], path, f"{style}-{path.stem}")
        for style in ("parallel100", "nonpara30")
        for path in folder.glob(f"jvs[0-9]*/{style}/wav24kHz16bit/*.wav")
    ], {}


@_corpus("ljspeech", "public domain", "wavs/LJ*.wav; give the folder LJSpeech-1.1")
def _ljspeech(folder: Path) -> Found:
    """LJSpeech 1.1, the folder with wavs in it.

    wavs/LJ*.wav, 22.05 kHz, one woman reading English for 24 hours. An autoencoder can't learn to
    separate voices from a single one: use it together with other corpora, or for a vocoder.
    """
    return [CorpusRecording("LJ", path) for path in folder.glob("wavs/LJ*.wav")], {}


@_corpus(
    "mls",
    "CC BY 4.0",
    "train/audio/SPEAKER/BOOK/*.flac or *.opus; give one language, such as mls_polish_opus",
)
def _mls(folder: Path) -> Found:
    """One language of Multilingual LibriSpeech, such as mls_polish_opus.

    mls_LANGUAGE[_opus]/{train,dev,test}/audio/SPEAKER/BOOK/SPEAKER_BOOK_NUMBER.{flac,opus}, 16 kHz.
    Only `train` is read: dev and test have other speakers and are for tests. A speaker of several
    languages has the same number in all, so a speaker's name includes the language. Opus files
    contain 16 kHz speech, whatever rate their header has.
    """
    return _three_deep(folder / "train" / "audio"), {}


def _three_deep(folder: Path) -> list[CorpusRecording]:
    """Recordings SPEAKER/FOLDER/FILE."""
    files = [path for path in audio_files(folder) if len(path.relative_to(folder).parts) == 3]
    return [CorpusRecording(path.parts[-3], path) for path in files]
