"""The player in the sound card's thread: how long it waits, and what it leaves out."""

import pytest
from browser import CHROMIUM

pytest.importorskip("gradio", reason="the ui extra is not installed")

from voiceswap.ui import live_tab

# 90 seconds of a player that gets a block every 160 ms, one of them late; loud samples differ.
PLAY = """source => {
  const rate = 24000, block = 3840, step = 128, loud = [], played = [], delays = [], leads = [];
  let Player;
  new Function("AudioWorkletProcessor", "registerProcessor", "sampleRate", source)(
    class { constructor() { this.port = { postMessage() {} }; } },
    (name, kind) => { Player = kind; }, rate);
  const player = new Player(), waiting = [];
  const sample = place => place % rate < 0.8 * rate ? 0.1 + place % 8192 / 16384 : 0;
  for (let at = 0; at < 90 * rate; at += step) {
    if (at % block === 0) {
      const made = Float32Array.from({ length: block }, (_, i) => sample(at + i));
      loud.push(...made.filter(x => x));
      waiting.push({ made, due: at === 19 * block ? at + 0.3 * rate : at });
    }
    while (waiting.length && waiting[0].due <= at) player.add(waiting.shift().made);
    const out = new Float32Array(step);
    player.captured += step;
    player.play(out);
    played.push(...out.filter(x => x));
    if (at % rate < step) {
      delays.push((player.captured - player.played) / rate);
      leads.push(player.lead / rate);
    }
  }
  return { same: played.every((x, i) => x === loud[i]), lost: loud.length - played.length,
    delays, leads, held: player.waiting };
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_after_a_late_block_the_delay_grows_and_comes_down_in_pauses(chromium):
    with chromium.new_context() as browser:
        source = (live_tab._FOLDER / "live_worklet.js").read_text(encoding="utf-8")
        found = browser.new_page().evaluate(PLAY, source)
    assert found["same"] and 0 <= found["lost"] <= found["held"]
    before, late, end = (found["delays"][second] for second in (2, 6, 88))
    assert late > before + 0.15 and end < before + 0.02
    assert max(found["leads"]) == pytest.approx(0.09) and found["leads"][-1] == 0.06
