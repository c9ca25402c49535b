/* Streaming resampler: windowed-sinc low-pass, polyphase, any pair of whole rates.
   Units: rates in Hz, signals as Float32Array of mono samples in [-1, 1]. */

const ZERO_CROSSINGS = 12; // Each side, counted at the lower of both rates.
const PASS_BAND = 0.92; // Part of the lower Nyquist frequency that is kept.

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

function blackman(x) {
  // x in [-1, 1], 1 at the middle.
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

/** One row of coefficients a phase; row p holds taps for inputs -half+1 … half around the output. */
function design(inRate, outRate, phases) {
  const cutoff = PASS_BAND * Math.min(1, outRate / inRate); // Of the input's Nyquist frequency.
  const half = Math.ceil(ZERO_CROSSINGS * Math.max(1, inRate / outRate));
  const rows = [];
  for (let phase = 0; phase < phases; phase += 1) {
    const row = new Float32Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < row.length; tap += 1) {
      const t = tap - half + 1 - phase / phases;
      const x = Math.PI * cutoff * t;
      row[tap] = (x === 0 ? 1 : Math.sin(x) / x) * blackman(Math.max(-1, Math.min(1, t / half)));
      sum += row[tap];
    }
    for (let tap = 0; tap < row.length; tap += 1) row[tap] /= sum; // The same loudness at every phase.
    rows.push(row);
  }
  return { rows, half };
}

export class Resampler {
  constructor(inRate, outRate) {
    const divisor = gcd(Math.round(inRate), Math.round(outRate));
    this.up = Math.round(outRate) / divisor;
    this.down = Math.round(inRate) / divisor;
    const { rows, half } = design(inRate, outRate, this.up);
    this.rows = rows;
    this.half = half;
    this.reset();
  }

  reset() {
    this.history = new Float32Array(this.half); // Silence before the first sample.
    this.index = this.half - 1; // Input position of the next output, in `history`.
    this.phase = 0;
  }

  /** Feed samples, get what can be computed so far; the filter looks `half` samples ahead. */
  push(input) {
    if (this.up === 1 && this.down === 1) return input.slice();
    const data = new Float32Array(this.history.length + input.length);
    data.set(this.history);
    data.set(input, this.history.length);
    const output = new Float32Array(Math.ceil(((data.length + 1) * this.up) / this.down) + 1);
    let count = 0;
    while (this.index + this.half < data.length) {
      const row = this.rows[this.phase];
      const first = this.index - this.half + 1;
      let sum = 0;
      for (let tap = 0; tap < row.length; tap += 1) sum += data[first + tap] * row[tap];
      output[count] = sum;
      count += 1;
      this.phase += this.down;
      this.index += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    const keep = Math.max(0, this.index - this.half + 1);
    this.history = data.slice(Math.min(keep, data.length));
    this.index -= Math.min(keep, data.length);
    return output.subarray(0, count);
  }
}

/** Float samples to int16 little-endian, clipped. */
export function toInt16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) {
    pcm[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32767)));
  }
  return pcm;
}

export function toFloat(pcm) {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i += 1) samples[i] = pcm[i] / 32768;
  return samples;
}
