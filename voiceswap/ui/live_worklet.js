/* In the sound card's thread: passes on what is recorded, plays what was converted, and knows the
   delay between them. Blocks come at uneven times, so the first is played a lead later than it came;
   after each dropout, the lead is longer. */
const SENT = 0.02; // seconds that are passed on at a time
const FIRST = 0.2, LONGEST = 0.5; // seconds of lead
const LOOK = 4; // seconds after which too much waiting is dropped

class Live extends AudioWorkletProcessor {
  constructor() {
    super();
    Object.assign(this, {
      ready: [], waiting: 0, recorded: [], captured: 0, played: 0, level: 0, bypass: false,
      lead: FIRST * sampleRate, held: 0, playing: false, least: Infinity, looked: 0,
    });
    this.port.onmessage = ({ data }) => {
      if (data.converted) this.add(data.converted);
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

  play(out) {
    if (this.playing && this.waiting < out.length) {
      this.playing = false;
      this.held = 0;
      this.lead = Math.min(this.lead * 1.5, LONGEST * sampleRate);
    }
    if (!this.playing && this.waiting >= out.length) {
      this.held += out.length;
      this.playing = this.held >= this.lead;
    }
    if (!this.playing) return;
    const block = this.take(out.length);
    if (!this.bypass) out.set(block);
    this.least = Math.min(this.least, this.waiting);
    this.looked += out.length;
    if (this.looked < LOOK * sampleRate) return;
    if (this.least > 2 * this.lead) this.take(Math.round(this.least - this.lead));
    this.least = Infinity;
    this.looked = 0;
  }

  process([[input]], [[out]]) {
    this.play(out);
    if (!input) return true;
    if (this.bypass) out.set(input);
    this.captured += input.length;
    this.recorded.push(...input);
    if (this.recorded.length < SENT * sampleRate) return true;
    const delay = this.playing ? (this.captured - this.played) / sampleRate : null;
    this.port.postMessage({ recorded: Float32Array.from(this.recorded), delay });
    this.recorded = [];
    return true;
  }
}
registerProcessor("voiceswap-live", Live);
