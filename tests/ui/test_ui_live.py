"""The tab that converts while somebody speaks, in a real browser with a recording as microphone."""

import base64
import time

import numpy as np
import pytest
import soundfile
from browser import CHROMIUM, PATIENCE, choose, open_tab, says, shoot

pytest.importorskip("gradio", reason="the ui extra is not installed")

import httpx
from gradio_client import Client, handle_file

from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.texts import Texts

# Keeps what goes into the page's sound processor and what comes out, by one clock.
KEEP = """() => {
  const processor = `registerProcessor("keep", class extends AudioWorkletProcessor {
    process([input]) {
      if (input.length) this.port.postMessage(input.map(channel => channel.slice()));
      return true;
    }
  })`;
  const connect = AudioNode.prototype.connect;
  const keep = async (sound, player) => {
    await sound.audioWorklet.addModule(URL.createObjectURL(new Blob([processor],
      { type: "text/javascript" })));
    const both = sound.createChannelMerger(2), tap = new AudioWorkletNode(sound, "keep");
    connect.call(window.microphone, both, 0, 0);
    connect.call(player, both, 0, 1);
    connect.call(both, tap);
    Object.assign(window, { sound, kept: [[], []] });
    tap.port.onmessage = ({ data }) => data.forEach(
      (channel, number) => window.kept[number].push(...channel));
  };
  AudioNode.prototype.connect = function (to, ...rest) {
    if (this instanceof MediaStreamAudioSourceNode) window.microphone = this;
    if (this instanceof AudioWorkletNode && to instanceof AudioDestinationNode)
      keep(this.context, this);
    return connect.call(this, to, ...rest);
  };
}"""


@pytest.fixture(scope="module")
def microphone(chromium, tmp_path_factory):
    """A browser whose microphone is the man of the example, again and again."""
    path = tmp_path_factory.mktemp("microphone") / "hello.wav"
    soundfile.write(path, np.pad(read_audio(HELLO, 48000), (0, 12000)), 48000, subtype="PCM_16")
    options = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
        "--host-resolver-rules=MAP voice.example 127.0.0.1",
    ]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=options)
    yield browser
    browser.close()


def go_live(page):
    page.click(".vs-live-go")
    page.get_by_text("of which the conversion needs").wait_for()


def kept(page, seconds=None):
    """What the microphone gave and what was played, as long as each other; and their rate.

    All of it, or the last seconds.
    """
    rate = page.evaluate("window.sound.sampleRate")
    first = -round(seconds * rate) if seconds else 0
    recorded, made = page.evaluate(f"window.kept.map(channel => channel.slice({first}))")
    return np.float32(recorded), np.float32(made), rate


def settled(page, seconds):
    """As `kept`, of the last seconds, once the delay that the page tells stayed the same for them.

    A slow machine makes the page play later in between.
    """
    page.wait_for_function(f"window.kept && kept[1].length > {2 * seconds} * sound.sampleRate")
    told, deadline = [told_delay(page)], time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        length = page.evaluate("kept[1].length")
        page.wait_for_function(f"kept[1].length > {length} + {seconds} * sound.sampleRate")
        told.append(told_delay(page))
        if abs(told[-1] - told[-2]) <= 20:
            return *kept(page, seconds), told[-1]
    raise AssertionError(f"The delay never stayed the same for {seconds} s: {told} ms.")


def told_delay(page):
    """Milliseconds, as the page tells them."""
    return float(page.inner_text(".vs-live-delay").split()[1])


def seconds_later(recorded, made, rate):
    """By how much `made` follows `recorded`."""
    size = 2 * len(recorded)
    product = np.fft.rfft(made, size) * np.conj(np.fft.rfft(recorded, size))
    return int(np.fft.irfft(product, size)[: 2 * round(rate)].argmax()) / rate


def test_somebody_speaks_in_another_voice_and_the_page_goes_on(
    visit, microphone, address, context, swapper, speech, screenshots
):
    context.library.add("The woman", swapper.embed(GOODBYE))
    context.library.add("Another", swapper.sample(3))
    page = visit(address, "Live", browser=microphone)
    page.evaluate(KEEP)
    choose(page, "live-voice", "The woman")
    go_live(page)
    client = Client(address, verbose=False)
    converted = client.predict(
        handle_file(speech[0]), None, None, ["The woman"], api_name="/convert"
    )
    assert soundfile.info(converted[0]).duration == soundfile.info(speech[0]).duration
    page.wait_for_function(
        "window.kept && window.kept[1].filter(sample => sample).length > 4 * sound.sampleRate"
    )
    shoot(page, screenshots / "live.png", full_page=True)
    page.click(".vs-live-go")
    page.get_by_text("The microphone is off.").wait_for()
    _, made, rate = kept(page)
    said = swapper.engine.speaker_vector(resample(made[made != 0], round(rate), 16000))
    woman, man = (
        swapper.engine.speaker_vector(read_audio(path, 16000)) for path in (GOODBYE, HELLO)
    )
    assert said @ woman > said @ man


def test_the_delay_is_as_it_is_told(visit, microphone, address, context, swapper, delays):
    context.library.add("Anna", swapper.sample(1))
    page = visit(address, "Live", browser=microphone)
    page.evaluate(KEEP)
    choose(page, "live-voice", "Anna")
    go_live(page)
    recorded, made, rate, told = settled(page, 3)
    devices = page.evaluate("sound.baseLatency + sound.outputLatency")
    delay = 1000 * (seconds_later(recorded, made, rate) + devices)
    assert told == pytest.approx(delay, abs=60)
    assert "the conversion needs 400 ms" in page.inner_text(".vs-live-delay")
    page.click(".vs-live-bypass")
    page.get_by_text("You hear your own voice.").wait_for()
    page.wait_for_function(f"kept[1].length > {page.evaluate('kept[1].length') + 2 * rate}")
    recorded, made, _ = kept(page, 1)
    np.testing.assert_allclose(made, recorded, atol=1e-4)


def join(address, page, name, data, event_data=None):
    """Join the queue as the page does. Gives the id of the call."""
    number = next(
        number for number, one in page.fns.items() if getattr(one.fn, "__name__", "") == name
    )
    sent = {"fn_index": number, "data": data, "session_hash": "live", "event_data": event_data}
    return httpx.post(f"{address}gradio_api/queue/join", json=sent).json()["event_id"]


def test_chunks_go_to_a_live_call_only(swapper, endless, tmp_path, delays, speech):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"), live_sessions=1)
    context.library.add("Anna", swapper.sample(1))
    with serving(context) as (page, address):
        stream = f"{address}gradio_api/stream/"
        with open(speech[0], "rb") as file:
            sent = httpx.post(f"{address}gradio_api/upload", files={"files": file}).json()[0]
        recording = {"path": sent, "meta": {"_type": "gradio.FileData"}}
        values = [recording, recording, None, None, 0, 1, 100, None, "wav", False]
        other = join(address, page, "convert", values)
        assert endless[0].acquire(timeout=PATIENCE)
        for call in (other, other + "/close", "nothing", "live/1/2/playlist.m3u8"):
            assert httpx.post(stream + call, json={"data": values}).status_code == 404
            assert httpx.get(stream + call).status_code == 404
        samples = base64.b64encode(bytes(2400)).decode()
        chunk = {"number": 1, "rate": 24000, "samples": samples}
        chosen = ["Anna", "normal", 0]
        call = join(address, page, "speak", chosen, chunk)
        for data, status, sentence in (
            ([], 422, "takes 3 values"),
            (["Anna", "normal", "high"], 422, "has to be a number"),
            ([{"path": "/etc/passwd"}, "normal", 0], 403, "has to be uploaded"),
        ):
            answer = httpx.post(stream + call, json={"data": data, "fn_index": 0})
            assert answer.status_code == status and sentence in answer.json()["detail"]
        assert httpx.post(stream + call, content="x" * 2_000_000).status_code == 413
        assert httpx.post(stream + call, json={"data": chosen, "event_data": chunk}).json()
        assert httpx.post(f"{stream}{call}/close", json={}).status_code == 200
        context.jobs.stop("live")


def test_without_a_microphone_the_page_says_so(visit, microphone, context):
    with serving(context, hostnames=["voice.example"]) as (_, address):
        page = visit(address, browser=microphone)
        assert not page.get_by_text("gives no microphone").is_visible()
        page = visit(address.replace("127.0.0.1", "voice.example"), browser=microphone)
        page.get_by_text("At this address the browser gives no microphone").wait_for()
        open_tab(page, "Live")
        page.click(".vs-live-go")
        page.get_by_text("There is no microphone that the browser can use.").wait_for()


def test_a_full_page_is_a_sentence_and_a_place_is_taken_later(
    visit, microphone, swapper, tmp_path, delays
):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"), live_sessions=1)
    context.library.add("Anna", swapper.sample(1))
    with serving(context) as (_, address):
        first, second = (visit(address, "Live", browser=microphone) for _ in range(2))
        go_live(first)
        for _ in range(2):
            second.click(".vs-live-go")
            says(second, "All 1 places for live conversion are taken")
            second.get_by_text("The microphone is off.").wait_for()
        first.context.close()  # gone, without a word
        second.click(".vs-live-go")
        second.get_by_text("of which the conversion needs").wait_for()
