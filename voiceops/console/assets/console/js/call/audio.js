/* Microphone and speaker of one call. PCM on this side is always 16 kHz int16 mono. */

const WIRE_RATE_HZ = 16_000;
const worklet = (name) => new URL(`../worklets/${name}.js`, import.meta.url);

/** Why there is no microphone, in words that say what to do. */
export class NoMicrophone extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Microphone {
  /** Ask for the microphone. `onFrame(ArrayBuffer)` gets 20 ms of PCM, `onLevel(0…1)` its peak.
      Throws NoMicrophone. */
  static async open(context, { onFrame, onLevel }) {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      throw new NoMicrophone("insecure",
        "The browser gives the microphone only to secure pages. Open this page through https:// or on localhost.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      });
    } catch (error) {
      if (error.name === "NotAllowedError" || error.name === "SecurityError") {
        throw new NoMicrophone("denied",
          "The microphone is blocked for this page. Allow it in the browser's address bar, then call again.");
      }
      if (error.name === "NotFoundError" || error.name === "OverconstrainedError") {
        throw new NoMicrophone("missing", "No microphone was found. Plug one in, then call again.");
      }
      throw new NoMicrophone("failed",
        `The microphone could not be opened (${error.name}). Close other programs that use it, then call again.`);
    }
    await context.audioWorklet.addModule(worklet("capture"));
    return new Microphone(context, stream, onFrame, onLevel);
  }

  constructor(context, stream, onFrame, onLevel) {
    this.stream = stream;
    this.source = context.createMediaStreamSource(stream);
    this.node = new AudioWorkletNode(context, "voiceops-capture", { numberOfOutputs: 0 });
    this.node.port.onmessage = (event) => {
      onFrame(event.data.pcm);
      onLevel(event.data.peak);
    };
    this.source.connect(this.node);
  }

  set muted(muted) {
    this.node.port.postMessage({ muted });
  }

  close() {
    this.source.disconnect();
    this.node.port.onmessage = null;
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/** Plays through an AudioWorklet; on an insecure page, where none exists, by scheduled buffers. */
export async function openSpeaker(context, handlers) {
  if (context.audioWorklet) {
    await context.audioWorklet.addModule(worklet("playback"));
    return new WorkletSpeaker(context, handlers);
  }
  return new ScheduledSpeaker(context, handlers);
}

class WorkletSpeaker {
  constructor(context, { onMark, onLevel }) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "voiceops-playback", {
      numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.epoch = 0;
    this.node.port.onmessage = ({ data }) => {
      if (data.mark !== undefined) {
        // What left the worklet is heard one output latency later.
        const epoch = this.epoch;
        setTimeout(() => epoch === this.epoch && onMark(data.mark), (context.outputLatency || 0) * 1000);
      } else if (data.level !== undefined) {
        onLevel(data.level, data);
      }
    };
    this.node.connect(context.destination);
  }

  play(pcm) {
    this.node.port.postMessage({ pcm }, [pcm]);
  }

  mark(name) {
    this.node.port.postMessage({ mark: name });
  }

  clear() {
    this.epoch += 1;
    this.node.port.postMessage({ clear: true });
  }

  close() {
    this.node.port.onmessage = null;
    this.node.disconnect();
  }
}

class ScheduledSpeaker {
  constructor(context, { onMark, onLevel }) {
    this.context = context;
    this.onMark = onMark;
    this.onLevel = onLevel;
    this.until = 0; // Context time, in seconds, where the next chunk starts.
    this.sources = new Set();
    this.timers = new Set();
  }

  play(pcm) {
    const samples = Float32Array.from(new Int16Array(pcm), (value) => value / 32768);
    const buffer = this.context.createBuffer(1, samples.length, WIRE_RATE_HZ);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    this.until = Math.max(this.until, this.context.currentTime + 0.06);
    source.start(this.until);
    this.until += buffer.duration;
    this.sources.add(source);
    source.onended = () => this.sources.delete(source);
    this.onLevel(samples.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0), {});
  }

  mark(name) {
    const wait_ms = Math.max(0, this.until - this.context.currentTime) * 1000;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.onMark(name);
    }, wait_ms);
    this.timers.add(timer);
  }

  clear() {
    for (const source of this.sources) source.stop();
    for (const timer of this.timers) clearTimeout(timer);
    this.sources.clear();
    this.timers.clear();
    this.until = 0;
  }

  close() {
    this.clear();
  }
}
