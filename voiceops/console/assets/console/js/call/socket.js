/* The softphone's websocket: binary both ways is PCM (16 kHz int16 mono), text is JSON. */

const MAX_QUEUED_BYTES = 64_000; // 2 s of audio: beyond it the line is too slow, frames are dropped.

export class CallSocket {
  /** `handlers`: onReady(session_id), onEvent(event), onAudio(ArrayBuffer), onClear(), onMark(name),
      onError(code, message), onEnded(reason, session_id), onLost(closeCode, wasReady). */
  constructor(url, agent, handlers) {
    this.handlers = handlers;
    this.ready = false;
    this.over = false;
    this.dropped = 0;
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.send(agent ? { type: "start", agent } : { type: "start" });
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = (event) => {
      if (!this.over) handlers.onLost(event.code, this.ready);
      this.over = true;
    };
  }

  receive(data) {
    if (data instanceof ArrayBuffer) {
      this.handlers.onAudio(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "event") this.handlers.onEvent(message);
    else if (message.type === "clear") this.handlers.onClear();
    else if (message.type === "mark") this.handlers.onMark(message.name);
    else if (message.type === "ready") {
      this.ready = true;
      this.handlers.onReady(message.session_id);
    } else if (message.type === "error") {
      this.handlers.onError(message.code, message.message);
    } else if (message.type === "ended") {
      this.over = true;
      this.handlers.onEnded(message.reason, message.session_id);
      this.socket.close(1000);
    }
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.open) this.socket.send(JSON.stringify(message));
  }

  audio(pcm) {
    if (!this.open || !this.ready) return;
    if (this.socket.bufferedAmount > MAX_QUEUED_BYTES) this.dropped += 1;
    else this.socket.send(pcm);
  }

  close() {
    this.over = true;
    this.socket.close(1000);
  }
}
