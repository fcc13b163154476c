"""python -m data_prep CORPUS DIR OUT: write cut manifests of a corpus, split by speaker."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from data_prep.aishell3 import prepare_aishell3
from data_prep.cmu_arctic import prepare_cmu_arctic
from data_prep.common_voice import prepare_common_voice
from data_prep.esd import prepare_esd
from data_prep.jvs import prepare_jvs
from data_prep.librispeech import prepare_librispeech
from data_prep.libritts import prepare_libritts
from data_prep.ljspeech import prepare_ljspeech
from data_prep.mls import prepare_mls
from data_prep.recordings import prepare_recordings
from data_prep.speakers import prepare_speakers
from data_prep.speech_check import MIN_RATE, Checks
from data_prep.vctk import prepare_vctk
from voiceswap.commands.options import number
from voiceswap.commands.outputs import console, fail, plain
from voiceswap.errors import VoiceswapError

CORPORA: dict[str, Callable[..., dict[str, int | str]]] = {
    "speakers": prepare_speakers,
    "recordings": prepare_recordings,
    "librispeech": prepare_librispeech,
    "libritts": prepare_libritts,
    "vctk": prepare_vctk,
    "aishell3": prepare_aishell3,
    "cmu-arctic": prepare_cmu_arctic,
    "common-voice": prepare_common_voice,
    "esd": prepare_esd,
    "jvs": prepare_jvs,
    "ljspeech": prepare_ljspeech,
    "mls": prepare_mls,
}

JOBS = os.cpu_count() or 1

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


def _command(prepare: Callable[..., dict[str, int | str]]) -> Callable[..., None]:
    def run(
        folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, show_default=False)],
        out: Annotated[
            Path,
            typer.Argument(help="Folder for the manifests and the report.", show_default=False),
        ],
        name: Annotated[
            str | None, typer.Option(help="Begins the names of the manifests and of the speakers.")
        ] = None,
        min_seconds: Annotated[
            float,
            typer.Option(callback=number(0.3), help="Recordings shorter than this are left out."),
        ] = 1.0,
        min_rate: Annotated[
            int, typer.Option(help="Recordings with a lower sample rate, in Hz, are left out.")
        ] = MIN_RATE,
        min_snr: Annotated[
            float,
            typer.Option(
                callback=number(0.0),
                help="Recordings with noise less far below the speech, in dB, are left out.",
            ),
        ] = 0.0,
        keep_pauses: Annotated[
            bool, typer.Option("--keep-pauses", help="Don't trim pauses at the ends.")
        ] = False,
        test_share: Annotated[
            float,
            typer.Option(
                callback=number(0, 0.9), help="Share of the speakers that are held out for tests."
            ),
        ] = 0.04,
        jobs: Annotated[int, typer.Option(min=1, help="Files read at a time.")] = JOBS,
    ) -> None:
        checks = Checks(min_seconds, min_rate, min_snr, keep_pauses, test_share, jobs)
        counts = prepare(folder, out, checks, **({"name": name} if name else {}))
        advice = counts.pop("advice")
        shown = ", ".join(f"{count} {what}" for what, count in counts.items())
        for line in (f"{shown} -> {plain(out)}", f"{advice}."):
            console.print(Text(line), soft_wrap=True)

    return run


for corpus, prepare in CORPORA.items():
    app.command(corpus, help=prepare.__doc__)(_command(prepare))


if __name__ == "__main__":
    try:
        app()
    except VoiceswapError as error:
        fail(error)
        raise SystemExit(1) from None
