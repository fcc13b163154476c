"""The tab that converts while somebody speaks, in a real browser with a recording as microphone."""

import base64
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from browser import CHROMIUM, PATIENCE, choose, open_tab, says, shoot

pytest.importorskip("gradio", reason="the ui extra is not installed")

import httpx
from gradio_client import Client, handle_file

from voiceswap.audio import read_audio, resample
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.live_sessions import LiveChoice, LiveSessions
from voiceswap.ui.live_tab import sent_samples
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


class Delay:
    """Stands in for a Stream: gives in blocks what came, some time later."""

    block, latency = 0.16, 0.4

    def __init__(self, rate):
        self.rate, self.statistics = rate, None
        self.waiting = np.zeros(0, np.float32)

    def push(self, samples):
        self.waiting = np.append(self.waiting, samples)
        block, ahead = round(self.block * self.rate), round((self.latency - self.block) * self.rate)
        ready = max(0, len(self.waiting) - ahead) // block * block
        made, self.waiting = self.waiting[:ready], self.waiting[ready:]
        return made.astype(np.float32)

    def set_pitch_shift(self, semitones):
        """Nothing is converted."""


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


@pytest.fixture
def delays(swapper, monkeypatch):
    """Streams that convert nothing, and take no time."""
    monkeypatch.setattr(swapper, "stream", lambda *_, rate=24000, **__: Delay(rate))


class Call:
    """A call of the page."""


def go_live(page):
    page.click(".vs-live-go")
    page.get_by_text("of which the conversion needs").wait_for()


def kept(page):
    """What the microphone gave and what was played, as long as each other; and their rate."""
    recorded, made = page.evaluate("window.kept.map(channel => Array.from(channel))")
    return np.float32(recorded), np.float32(made), page.evaluate("window.sound.sampleRate")


def settled(page, seconds):
    """As `kept`, of the last seconds, once the delay that the page tells stayed the same for them.

    A slow machine makes the page play later in between.
    """
    page.wait_for_function(f"window.kept && kept[1].length > {2 * seconds} * sound.sampleRate")
    while True:
        before, length = told_delay(page), page.evaluate("kept[1].length")
        page.wait_for_function(f"kept[1].length > {length} + {seconds} * sound.sampleRate")
        after, (recorded, made, rate) = told_delay(page), kept(page)
        if abs(after - before) <= 20:
            part = slice(-round(seconds * rate), None)
            return recorded[part], made[part], rate, after


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
        "window.kept && window.kept[1].filter(sample => sample).length > 8 * sound.sampleRate"
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
    recorded, made, rate, told = settled(page, 5)
    devices = page.evaluate("sound.baseLatency + sound.outputLatency")
    delay = 1000 * (seconds_later(recorded, made, rate) + devices)
    assert told == pytest.approx(delay, abs=60)
    assert "the conversion needs 400 ms" in page.inner_text(".vs-live-delay")
    page.click(".vs-live-bypass")
    page.get_by_text("You hear your own voice.").wait_for()
    page.wait_for_function(f"kept[1].length > {page.evaluate('kept[1].length') + 5 * rate}")
    recorded, made, rate = kept(page)
    np.testing.assert_allclose(made[-round(rate) :], recorded[-round(rate) :], atol=1e-4)


def test_places_are_bounded_and_given_up(swapper, tmp_path, delays):
    now, loud, quiet = [0.0], np.full(100, 0.5, np.float32), np.zeros(100, np.float32)
    library = VoiceLibrary(tmp_path, swapper)
    library.add("Anna", swapper.sample(1))
    live = LiveSessions(swapper, library, 1, clock=lambda: now[0])

    def push(visitor, caller, samples=loud):
        return live.push(visitor, caller, LiveChoice("Anna", 0, "normal", 24000), samples)

    first, second, other = Call(), Call(), Call()
    push("a", first)
    with pytest.raises(VoiceswapError, match=r"^All 1 places for live conversion are taken"):
        push("b", other)
    push("a", second)  # the same visitor once more
    with pytest.raises(VoiceswapError, match="is over"):
        push("a", first)
    live.leave("a")
    with pytest.raises(VoiceswapError, match="is over"):  # a chunk that was on its way
        push("a", second)
    push("b", other)
    now[0] = 11.0  # nothing more came
    third = Call()
    push("a", third)
    for now[0] in range(12, 310):
        push("a", third, quiet)
    now[0] += 3
    with pytest.raises(VoiceswapError, match=r"^Nobody has spoken for 5 minutes"):
        push("a", third, quiet)
    push("b", Call())


def test_what_is_chosen_meanwhile_is_followed(swapper, tmp_path, hello_24k):
    library = VoiceLibrary(tmp_path, swapper)
    library.add("Anna", swapper.sample(1))
    library.add("Ben", swapper.sample(2))
    live, caller = LiveSessions(swapper, library, 1), Call()
    chosen = [("Anna", 0, "normal"), ("Ben", 3, "normal"), ("Ben", 3, "high")]
    parts = np.array_split(hello_24k, 6)
    made = []
    for number, part in enumerate(parts):
        choice = LiveChoice(*chosen[number // 2], 24000)
        made.append(live.push("a", caller, choice, part))
    expected = swapper.stream(library.voice("Anna"), rate=24000)
    samples = [expected.push(part) for part in parts[:2]]
    expected.set_voice(library.voice("Ben"))
    expected.options = replace(expected.options, pitch_shift=3)
    samples += [expected.push(part) for part in parts[2:4]]
    rest = expected.flush()
    given = np.concatenate([samples for samples, _ in made])
    samples = np.concatenate([*samples, rest])
    assert len(samples) == sum(map(len, parts[:4]))  # nothing is lost, and nothing late
    np.testing.assert_allclose(given[: len(samples)], samples, atol=1e-5)
    assert [latency for _, latency in made][-1] > made[0][1]
    with pytest.raises(VoiceswapError, match="rate of the samples can't change"):
        live.push("a", caller, LiveChoice("Ben", 3, "high", 48000), parts[0])


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


@pytest.mark.parametrize(
    "sent",
    [None, {}, {"samples": "?", "rate": 1}, {"samples": "AA", "rate": 1},
     {"samples": "AAA=", "rate": 0.5}, {"samples": "AAAA" * 40_000, "rate": 24000}],
)  # fmt: skip
def test_a_chunk_that_is_none_is_a_sentence(sent):
    with pytest.raises(VoiceswapError, match=r"^A chunk has"):
        sent_samples(sent)


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
