/* The agent's audio, 16 kHz int16 PCM in through the port, played at the device's rate.
   Messages in: {pcm: ArrayBuffer}, {mark: name}, {clear: true}.
   Messages out: {mark: name} when everything before it left the worklet, {cleared: true},
   and {level: 0…1, buffered_ms, underruns} about every 50 ms. */
import { Resampler, toFloat } from "./resampler.js";

const WIRE_RATE_HZ = 16_000;
const PREBUFFER_MS = 60; // Jitter that is swallowed before the first sample is played.
const PREBUFFER_WAIT_MS = 120; // A shorter utterance starts after this long anyway.
const FADE_SAMPLES = 96; // 2 ms at 48 kHz: `clear` stops without a click.

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(WIRE_RATE_HZ, sampleRate);
    this.blocks = [];
    this.marks = []; // {name, at}: `at` in samples written so far.
    this.written = 0;
    this.played = 0;
    this.primed = false;
    this.waited = 0;
    this.underruns = 0;
    this.fade = 0;
    this.tick = 0;
    this.peak = 0;
    this.port.onmessage = (event) => this.receive(event.data);
  }

  receive(message) {
    if (message.pcm) {
      const samples = this.resampler.push(toFloat(new Int16Array(message.pcm)));
      if (samples.length) this.blocks.push({ samples: samples.slice(), offset: 0 });
      this.written += samples.length;
    } else if (message.mark !== undefined) {
      this.marks.push({ name: message.mark, at: this.written });
    } else if (message.clear) {
      const next = this.blocks[0];
      this.fade = this.primed && next ? Math.min(FADE_SAMPLES, next.samples.length - next.offset) : 0;
      this.blocks = this.fade ? [next] : [];
      this.marks = [];
      this.written = this.played + this.fade;
      this.resampler.reset();
      this.port.postMessage({ cleared: true });
    }
  }

  process(_inputs, outputs) {
    const output = outputs[0][0];
    const waiting = this.written - this.played;
    if (!this.primed && waiting > 0) {
      this.waited += output.length;
      this.primed = waiting >= (PREBUFFER_MS / 1000) * sampleRate
        || this.waited >= (PREBUFFER_WAIT_MS / 1000) * sampleRate
        || this.marks.length > 0 || this.fade > 0;
    }
    if (this.primed) this.fill(output);
    while (this.marks.length && this.marks[0].at <= this.played) {
      this.port.postMessage({ mark: this.marks.shift().name });
    }
    for (let channel = 1; channel < outputs[0].length; channel += 1) outputs[0][channel].set(output);
    this.report(output);
    return true;
  }

  fill(output) {
    let at = 0;
    while (at < output.length && this.blocks.length) {
      const block = this.blocks[0];
      const count = Math.min(output.length - at, block.samples.length - block.offset, this.fade || Infinity);
      for (let i = 0; i < count; i += 1) {
        const gain = this.fade ? (this.fade - i) / FADE_SAMPLES : 1;
        output[at + i] = block.samples[block.offset + i] * gain;
      }
      block.offset += count;
      at += count;
      this.played += count;
      if (this.fade) {
        this.fade -= count;
        if (this.fade === 0) this.blocks.shift();
      } else if (block.offset === block.samples.length) {
        this.blocks.shift();
      }
    }
    if (at < output.length) {
      this.primed = false;
      this.waited = 0;
      if (at > 0) this.underruns += 1;
    }
  }

  report(output) {
    for (const sample of output) this.peak = Math.max(this.peak, Math.abs(sample));
    this.tick += output.length;
    if (this.tick < sampleRate / 20) return;
    const buffered_ms = ((this.written - this.played) / sampleRate) * 1000;
    this.port.postMessage({ level: this.peak, buffered_ms, underruns: this.underruns });
    this.tick = 0;
    this.peak = 0;
  }
}

registerProcessor("voiceops-playback", Playback);
