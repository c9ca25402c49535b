/* Microphone at the device's rate in; 20 ms frames of 16 kHz int16 PCM out through the port.
   Message out: {pcm: ArrayBuffer of 320 int16 samples, peak: 0…1}. Message in: {muted}. */
import { Resampler, toInt16 } from "./resampler.js";

const WIRE_RATE_HZ = 16_000;
const FRAME_SAMPLES = 320;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_RATE_HZ);
    this.frame = new Float32Array(FRAME_SAMPLES);
    this.filled = 0;
    this.muted = false;
    this.port.onmessage = (event) => {
      this.muted = Boolean(event.data.muted);
    };
  }

  process(inputs) {
    const channel = inputs[0]?.[0];
    if (!channel) return true;
    for (const sample of this.resampler.push(channel)) {
      this.frame[this.filled] = this.muted ? 0 : sample;
      this.filled += 1;
      if (this.filled === FRAME_SAMPLES) this.flush();
    }
    return true;
  }

  flush() {
    let peak = 0;
    for (const sample of this.frame) peak = Math.max(peak, Math.abs(sample));
    const pcm = toInt16(this.frame).buffer;
    this.port.postMessage({ pcm, peak }, [pcm]);
    this.filled = 0;
  }
}

registerProcessor("voiceops-capture", Capture);
