// JSON-lines RPC with the backend process: asynchronous calls, blocking calls, and one ordered inbox.
// Every message from the backend is one task: its patch is applied and its event fired (or promise settled) alone.
const { Worker, MessageChannel, receiveMessageOnPort } = require('node:worker_threads');
const path = require('node:path');
class Link {
  constructor(argv, { stderr = false, syncTimeout = 8000, trace = false } = {}) {
    const { port1, port2 } = new MessageChannel(); this.port = port1;
    this.sab = new SharedArrayBuffer(4); this.count = new Int32Array(this.sab);
    this.seq = 0; this.calls = 0; this.arrived = 0; this.pending = new Map(); this.inbox = []; this.syncTimeout = syncTimeout; this.trace = trace; this.dead = null; this.onmessage = () => {};
    this.w = new Worker(path.join(__dirname, 'syncworker.cjs'), { workerData: { port: port2, sab: this.sab, argv, stderr }, transferList: [port2] });
    this.port.on('message', m => { this._take(m); this._pump(); });
  }
  _take(m) {
    if (typeof m !== 'string') {
      if (m.pid) this.pid = m.pid;
      if ('exit' in m) { this.dead = `backend process ended (${m.exit})`; for (const id of this.pending.keys()) this.inbox.push({ id, err: { name: 'BackendError', message: this.dead } }); }
      return;
    }
    if (this.trace) process.stderr.write(Date.now() % 100000 + '< ' + m.slice(0, 700) + '\n');
    try { const o = JSON.parse(m); o.n = ++this.arrived; this.inbox.push(o); } catch { process.stderr.write('bad line from backend: ' + m.slice(0, 200) + '\n'); }
  }
  _pump() {
    if (this._scheduled || !this.inbox.length) return; this._scheduled = true;
    setImmediate(() => { this._scheduled = false; const m = this.inbox.shift(); try { if (m) this._deliver(m); } finally { this._pump(); } });
  }
  _deliver(m) {
    const p = m.id !== undefined && this.pending.get(m.id);
    if (m.id !== undefined && !p) return;
    const stale = m.patch && this.onmessage({ patch: m.patch, n: m.n });
    if (p) { this.pending.delete(m.id); m.err ? p.reject(m.err) : p.resolve(m.ok); } else if (m.ev) this.onmessage({ ev: m.ev, obj: m.obj, data: m.data, stale });
  }
  _send(req) { const id = ++this.seq; this.calls++; const s = JSON.stringify({ id, ...req }); if (this.trace) process.stderr.write(Date.now() % 100000 + '> ' + s.slice(0, 700) + '\n'); this.port.postMessage(s); return id; }
  call(req, resolve, reject) { if (this.dead) return reject({ name: 'BackendError', message: this.dead }); const id = this._send(req); this.pending.set(id, { resolve, reject, obj: req.obj }); }
  // Blocks until the reply. Lines that arrive before it stay in the inbox, in order, as later tasks.
  callSync(req) {
    if (this.dead) return { err: { name: 'BackendError', message: this.dead } };
    const id = this._send(req), end = Date.now() + this.syncTimeout;
    for (;;) {
      const seen = Atomics.load(this.count, 0); let r;
      while ((r = receiveMessageOnPort(this.port))) this._take(r.message);
      const i = this.inbox.findIndex(m => m.id === id);
      if (i >= 0) { const [m] = this.inbox.splice(i, 1); this.lastReply = m.n; this._pump(); if (m.patch) this.onmessage({ patch: m.patch, n: m.n }); return m; }
      if (this.dead) return { err: { name: 'BackendError', message: this.dead } };
      const left = end - Date.now();
      if (left <= 0) { this._pump(); return { err: { name: 'BackendError', message: `no reply to ${req.method || req.op} in ${this.syncTimeout} ms` } }; }
      Atomics.wait(this.count, 0, seen, left);
    }
  }
  dropFor(ids) { this.inbox = this.inbox.filter(m => { if (m.ev && ids.has(m.obj)) return false; if (m.patch) for (const i of ids) delete m.patch[i]; return true; }); }
  // What a connection that was closed meanwhile had promised never comes (webrtc-pc section 4.4.1.3); what had failed has failed.
  dropPending(obj) { for (const p of this.pending.values()) if (p.obj === obj) p.resolve = () => {}; }
  // A channel that was closed before it was announced as open never opens.
  dropOpen(id) { this.inbox = this.inbox.filter(m => { if (m.obj !== id || m.ev !== 'open') return true; delete m.ev; return !!m.patch; }); }
  kill() { try { if (this.pid && !this.dead) process.kill(this.pid, 'SIGKILL'); } catch {} }
}
module.exports = { Link };
