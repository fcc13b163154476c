"""Dropouts of the page's Live tab in Chromium, while other visitors convert recordings.

    python benchmarks/live_page.py --minutes 10 --visitors 1 --pause 4

Server, browser and visitors share this machine. The browser's microphone is the package's example,
again and again. A dropout is a time without anything to play. Needs playwright and
a Chromium, as the tests of the page do.
"""

import argparse
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile
from gradio_client import Client, handle_file
from playwright.sync_api import sync_playwright

from voiceswap import VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.conversion.latency import LATENCIES
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.texts import Texts

# Counts, in the sound card's thread, how often the page's player fell silent.
COUNT = """() => {
  const processor = `registerProcessor("count", class extends AudioWorkletProcessor {
    process([input]) {
      const now = input.length > 0 && input[0].some(sample => sample);
      if (this.before && !now) this.port.postMessage(currentTime);
      this.before = now;
      return true;
    }
  })`;
  const connect = AudioNode.prototype.connect;
  window.dropouts = [];
  AudioNode.prototype.connect = function (to, ...more) {
    if (this instanceof AudioWorkletNode && to === this.context.destination) {
      const url = URL.createObjectURL(new Blob([processor], { type: "text/javascript" }));
      this.context.audioWorklet.addModule(url).then(() => {
        const tap = new AudioWorkletNode(this.context, "count");
        tap.port.onmessage = ({ data }) => window.dropouts.push(data);
        connect.call(this, tap);
      });
    }
    return connect.call(this, to, ...more);
  };
}"""


def main() -> None:
    """Print the dropouts, their times and the delay that the page shows at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--latency", choices=list(LATENCIES), default="normal")
    parser.add_argument("--visitors", type=int, default=1)
    parser.add_argument("--pause", type=float, default=4, help="seconds between two conversions")
    options = parser.parse_args()
    swapper = VoiceSwapper.load(device="cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        microphone, recording = folder / "microphone.wav", folder / "ten-seconds.wav"
        soundfile.write(microphone, read_audio(HELLO, 48000), 48000)
        soundfile.write(recording, np.resize(read_audio(HELLO, 24000), 240000), 24000)
        library = VoiceLibrary(folder / "voices", swapper)
        library.add("The woman", swapper.voice(GOODBYE))
        with serving(AppContext(swapper, library, Texts("en"))) as (_, address):
            over, took = threading.Event(), []

            def convert() -> None:
                client = Client(address, verbose=False)
                while not over.wait(options.pause):
                    start = time.perf_counter()
                    client.predict(
                        handle_file(recording), None, None, ["The woman"], api_name="/convert"
                    )
                    took.append(time.perf_counter() - start)

            visitors = [threading.Thread(target=convert) for _ in range(options.visitors)]
            dropouts, delay = speak_and_count(address, microphone, options, visitors)
            over.set()
            for visitor in visitors:
                visitor.join()
    print(f"{len(dropouts)} dropouts in {options.minutes:g} minutes at {options.latency}")
    print("at seconds", *(f"{at:.1f}" for at in dropouts))
    print(delay)
    if took:
        print(f"{len(took)} conversions of 10 s beside it, {np.median(took):.1f} s each (median)")


def speak_and_count(
    address: str, microphone: Path, options: argparse.Namespace, visitors: list[threading.Thread]
) -> tuple[list[float], str]:
    """When the page had nothing to play, in seconds, and the delay that it shows."""
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        page = playwright.chromium.launch(executable_path=path, args=flags).new_page()
        page.goto(address)
        page.get_by_role("tab", name="Live").click()
        page.evaluate(COUNT)
        page.click("#live-voice input")
        page.get_by_role("option", name="The woman").click()
        page.check(f"#live-latency input[value={options.latency}]")
        page.click(".vs-live-go")
        page.get_by_text("of which the conversion needs").wait_for()
        for visitor in visitors:
            visitor.start()
        page.wait_for_timeout(60_000 * options.minutes)
        return page.evaluate("window.dropouts"), page.inner_text(".vs-live-delay")


if __name__ == "__main__":
    main()
