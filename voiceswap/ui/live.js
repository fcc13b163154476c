/* The microphone to the server and back. A chunk is sent when the answer to the last one is there,
   so a slow way makes longer chunks, not a queue. */
const SHORTEST = 0.06, LONGEST = 0.5; // seconds of a chunk
const KEPT = 1; // seconds that may wait to be sent; more are dropped, all but the last chunk's
const PATIENCE = 15000; // milliseconds to wait for an answer
const part = name => element.querySelector(`.vs-live-${name}`);
let live = null; // what is open while somebody is live
let bypass = false;
let number = 0; // of the latest chunk

const say = sentence => { part("state").textContent = sentence; };

function show() {
  part("go").textContent = live ? text.stop : text.start;
  part("go").setAttribute("aria-pressed", Boolean(live));
  part("bypass").setAttribute("aria-pressed", bypass);
  if (!live) {
    part("delay").textContent = "";
    part("level").firstElementChild.style.transform = "scaleX(0)";
  }
}

/* At the model's rate, so that nothing has to be resampled; not every browser connects a microphone
   to that. */
async function connect(microphone) {
  for (const options of [{ sampleRate: wanted }, {}]) {
    const sound = new AudioContext({ latencyHint: "interactive", ...options });
    try {
      const source = sound.createMediaStreamSource(microphone);
      const address = URL.createObjectURL(new Blob([worklet], { type: "text/javascript" }));
      await sound.audioWorklet.addModule(address);
      URL.revokeObjectURL(address);
      const node = new AudioWorkletNode(sound, "voiceswap-live", {
        channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
      });
      source.connect(node).connect(sound.destination);
      return { sound, node };
    } catch (error) {
      await sound.close();
      if (!options.sampleRate) throw error;
    }
  }
}

async function start() {
  if (!navigator.mediaDevices) return say(text.no_microphone);
  const opened = {
    chunks: [], waiting: 0, asked: null, dropped: 0, peak: 0, shown: 0, told: { at: 0, dropped: 0 },
  };
  live = opened;
  show();
  say(text.opening);
  try {
    opened.microphone = await navigator.mediaDevices.getUserMedia({ audio: {
      channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
    } });
    Object.assign(opened, await connect(opened.microphone));
  } catch (error) {
    return stop(["NotAllowedError", "SecurityError"].includes(error.name)
      ? text.denied : text.no_microphone);
  }
  if (live !== opened) return close(opened); // stopped meanwhile
  opened.microphone.getTracks()[0].onended = () => stop(text.no_microphone);
  opened.node.port.onmessage = ({ data }) => live === opened && take(data);
  opened.node.port.postMessage({ bypass });
}

function close(opened) {
  for (const track of opened.microphone?.getTracks() ?? []) track.stop();
  opened.sound?.close();
}

function stop(sentence = text.off) {
  if (!live) return;
  close(live);
  live = null;
  trigger("close_stream");
  trigger("clear");
  show();
  say(sentence);
}

function take({ recorded, delay }) {
  live.chunks.push(recorded);
  live.waiting += recorded.length;
  const rate = live.sound.sampleRate;
  const before = live.waiting;
  const ready = live.asked === null || live.latency !== undefined; // else it is being prepared
  while (before > (ready ? KEPT : 0) * rate && live.waiting > SHORTEST * rate)
    live.waiting -= live.chunks.shift().length;
  if (live.waiting < before) live.node.port.postMessage({ lost: before - live.waiting });
  if (ready) live.dropped += before - live.waiting;
  live.peak = recorded.reduce((most, sample) => Math.max(most, Math.abs(sample)), live.peak);
  tell(delay);
  send();
}

/* What goes on: the level ten times a second, all else every second. The delay is that from the
   microphone to the ear: what the page counts, and what the devices say of themselves. */
function tell(delay) {
  const now = performance.now();
  if (now - live.shown >= 100) {
    const level = Math.max(0, 1 + Math.log10(live.peak + 1e-9) / 3);
    part("level").firstElementChild.style.transform = `scaleX(${level})`;
    Object.assign(live, { shown: now, peak: 0 });
  }
  if (delay === null || now - live.told.at < 1000) return;
  const { baseLatency = 0, outputLatency = 0 } = live.sound;
  const whole = Math.round(1000 * (delay + baseLatency + outputLatency));
  part("delay").textContent = text.delay
    .replace("{now}", whole).replace("{least}", Math.round(1000 * live.latency));
  const sentence = live.dropped > live.told.dropped ? text.slow : bypass ? text.bypassed : text.on;
  if (part("state").textContent !== sentence) say(sentence);
  live.told = { at: now, dropped: live.dropped };
}

function send() {
  const rate = live.sound.sampleRate;
  if (live.asked !== null) {
    if (performance.now() - live.asked > PATIENCE) stop(text.lost);
    return;
  }
  if (live.waiting < SHORTEST * rate) return;
  const samples = [];
  while (live.chunks.length && samples.length + live.chunks[0].length <= LONGEST * rate)
    samples.push(...live.chunks.shift());
  live.waiting -= samples.length;
  live.asked = performance.now();
  number += 1;
  trigger("stream", { number, rate, samples: encoded(samples) });
}

function encoded(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, place) =>
    view.setInt16(2 * place, 32767 * Math.max(-1, Math.min(1, sample)), true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

function decoded(sent) {
  const view = new DataView(Uint8Array.from(atob(sent), letter => letter.charCodeAt(0)).buffer);
  return Float32Array.from({ length: view.byteLength / 2 },
    (_, place) => view.getInt16(2 * place, true) / 32768);
}

watch("value", () => {
  const answer = props.value;
  if (!live || !answer) return;
  if (answer.over) return stop();
  if (answer.number !== number) return;
  live.asked = null;
  live.latency = answer.latency;
  if (answer.samples) live.node.port.postMessage({ converted: decoded(answer.samples) });
  send();
});
element.addEventListener("click", event => {
  if (event.target.closest(".vs-live-go")) live ? stop() : start();
  if (!event.target.closest(".vs-live-bypass")) return;
  bypass = !bypass;
  live?.node?.port.postMessage({ bypass });
  show();
});
