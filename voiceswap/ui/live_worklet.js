/* In the sound card's thread: passes on what is heard, plays what was made of it, and knows how
   much later. Blocks come at uneven times, so the first is played a lead later than it came. After
   each time that nothing was ready, the lead is longer; while all comes in time, it shrinks, and
   what waits beyond it is left out where it is quiet. */
const SENT = 0.02; // seconds that are passed on at a time
const SHORTEST = 0.06, LONGEST = 0.5; // seconds of lead
const LOOK = 4; // seconds after which the lead is looked at
const SHRINK = 0.95; // of the lead, each time: half of it in a minute
const QUIET = 0.003; // magnitude; what is left out below it is not missed

class Live extends AudioWorkletProcessor {
  constructor() {
    super();
    Object.assign(this, {
      ready: [], waiting: 0, heard: [], captured: 0, played: 0, level: 0, bypass: false,
      lead: SHORTEST * sampleRate, held: 0, playing: false, least: Infinity, looked: 0, surplus: 0,
    });
    this.port.onmessage = ({ data }) => {
      if (data.made) this.add(data.made);
      if (data.lost) this.played += data.lost; // was never sent
      if ("bypass" in data) this.bypass = data.bypass;
    };
  }

  add(samples) {
    this.ready.push(samples);
    this.waiting += samples.length;
  }

  /* The next samples of what is ready. */
  take(count) {
    const out = new Float32Array(count);
    let done = 0;
    while (done < count && this.ready.length) {
      const part = this.ready[0].subarray(0, count - done);
      out.set(part, done);
      done += part.length;
      if (part.length === this.ready[0].length) this.ready.shift();
      else this.ready[0] = this.ready[0].subarray(part.length);
    }
    this.waiting -= done;
    this.played += done;
    return out;
  }

  /* Whether that many samples, and as many after them, are there and quiet. */
  quiet(count) {
    const next = this.ready[0];
    return next.length >= 2 * count && next.subarray(0, 2 * count).every(x => Math.abs(x) < QUIET);
  }

  play(out) {
    if (this.playing && this.waiting < out.length) {
      this.playing = false;
      this.surplus = 0;
      this.held = 0;
      this.lead = Math.min(this.lead * 1.5, LONGEST * sampleRate);
    }
    if (!this.playing && this.waiting >= out.length) {
      this.held += out.length;
      this.playing = this.held >= this.lead;
    }
    if (!this.playing) return;
    if (this.surplus >= out.length && this.quiet(out.length)) {
      this.surplus -= out.length;
      this.take(out.length);
    }
    const made = this.take(out.length);
    if (!this.bypass) out.set(made);
    this.least = Math.min(this.least, this.waiting);
    this.looked += out.length;
    if (this.looked < LOOK * sampleRate) return;
    this.lead = Math.max(this.lead * SHRINK, SHORTEST * sampleRate);
    this.surplus = this.least - this.lead;
    this.least = Infinity;
    this.looked = 0;
  }

  process([[input]], [[out]]) {
    this.play(out);
    if (!input) return true;
    if (this.bypass) out.set(input);
    this.captured += input.length;
    this.heard.push(...input);
    if (this.heard.length < SENT * sampleRate) return true;
    const delay = this.playing ? (this.captured - this.played) / sampleRate : null;
    this.port.postMessage({ heard: Float32Array.from(this.heard), delay });
    this.heard = [];
    return true;
  }
}
registerProcessor("voiceswap-live", Live);
