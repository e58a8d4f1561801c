// Builds the WebRTC interfaces of webrtc.idl over a Link. Only WebIDL work is done here (conversions, brands, object
// identity, event classes); every rule of webrtc-pc (states, errors, events, negotiation) is the backend's.
const fs = require('node:fs'), path = require('node:path'), vm = require('node:vm');
module.exports = function install(G, link, wptDir, stats) {
  // ---- IDL ----
const webidl = require(path.join(wptDir, 'resources/webidl2/lib/webidl2.js')); const parse = webidl.parse;
  const enums = new Map(), dicts = new Map(), ifaces = new Map(), callbacks = new Set();
  // what webrtc-extensions adds (WPT has no .idl file for it)
  const EXT = `partial interface RTCRtpTransceiver { sequence<RTCRtpHeaderExtensionCapability> getHeaderExtensionsToNegotiate(); undefined setHeaderExtensionsToNegotiate(sequence<RTCRtpHeaderExtensionCapability> extensions); sequence<RTCRtpHeaderExtensionCapability> getNegotiatedHeaderExtensions(); };
    partial dictionary RTCRtpHeaderExtensionCapability { RTCRtpTransceiverDirection direction = "sendrecv"; }; partial dictionary RTCRtpEncodingParameters { boolean adaptivePtime = false; };`;
  for (const f of ['webrtc', 'webrtc-priority', 'webrtc-svc', 'mst-content-hint', null]) {
    const p = f && path.join(wptDir, 'interfaces', f + '.idl'); if (p && !fs.existsSync(p)) continue;
    for (const d of parse(p ? fs.readFileSync(p, 'utf8') : EXT)) {
      if (d.type === 'enum') enums.set(d.name, d.values.map(v => v.value));
      else if (d.type === 'callback') callbacks.add(d.name);
      else if (d.type === 'dictionary') { const e = dicts.get(d.name) || { members: [], parent: null }; e.members.push(...d.members); if (d.inheritance) e.parent = d.inheritance; dicts.set(d.name, e); }
      else if (d.type === 'interface') { const e = ifaces.get(d.name) || { members: [], parent: null }; e.members.push(...d.members); if (d.inheritance) e.parent = d.inheritance; ifaces.set(d.name, e); }
    }
  }
  for (const n of ['MediaStreamTrack', 'RTCStatsReport', 'MediaStream']) ifaces.delete(n);
  enums.set('BinaryType', ['blob', 'arraybuffer']);
  // ---- wire ----
  const STATE = Symbol('state'), ID = Symbol('id'), INTERNAL = Symbol('internal');
  const objects = new Map(); const classes = {};
  const b64 = u8 => Buffer.from(u8.buffer, u8.byteOffset, u8.byteLength).toString('base64');
  const unb64 = s => { const b = Buffer.from(s, 'base64'); const u = new Uint8Array(b.length); u.set(b); return u; };
  const toWire = v => {
    if (v === undefined) return undefined; if (v === null || typeof v === 'string' || typeof v === 'boolean') return v;
    if (typeof v === 'number') return Number.isFinite(v) ? v : { $num: String(v) };
    if (typeof v === 'bigint') return Number(v);
    if (v[ID]) return { $ref: v[ID] };
    if (v instanceof ArrayBuffer) return { $bin: b64(new Uint8Array(v)) };
    if (ArrayBuffer.isView(v)) return { $bin: b64(new Uint8Array(v.buffer, v.byteOffset, v.byteLength)) };
    if (Array.isArray(v)) return v.map(toWire);
    if (v instanceof classes.RTCIceCandidate || v instanceof classes.RTCSessionDescription) return toWire(v.toJSON());
    const o = {}; for (const k of Object.keys(v)) { const w = toWire(v[k]); if (w !== undefined) o[k] = w; } return o;
  };
  const wrap = (id, type) => { let o = objects.get(id); if (!o) { const C = classes[type]; if (!C) throw new Error('unknown type ' + type); o = new C(INTERNAL, id); objects.set(id, o); } return o; };
  // fromWire(value, IDL type name or null)
  const fromWire = (v, t) => {
    if (v === null || v === undefined) return v === undefined ? undefined : null;
    if (typeof v !== 'object') return v;
    if (Array.isArray(v)) return v.map(x => fromWire(x, t));
    if ('$num' in v) return Number(v.$num);
    if ('$bin' in v) return unb64(v.$bin).buffer;
    if ('$ref' in v) return wrap(v.$ref, v.$type || objects.get(v.$ref)?.constructor.name);
    if (t === 'RTCSessionDescription') return new classes.RTCSessionDescription(v);
    if (t === 'RTCIceCandidate') return mkCandidate(v);
    if (t === 'RTCIceCandidatePair') { const o = new classes.RTCIceCandidatePair(INTERNAL, null); o[STATE] = { local: mkCandidate(v.local), remote: mkCandidate(v.remote) }; return o; }
    const d = dicts.get(t); const o = {};
    for (const k of Object.keys(v)) { const m = d && allMembers(t).find(m => m.name === k); o[k] = fromWire(v[k], m ? baseName(m.idlType) : null); }
    return o;
  };
  const baseName = t => { if (!t) return null; if (t.generic) return baseName(t.idlType[0]); if (typeof t.idlType === 'string') return t.idlType; return null; };
  const allMembers = n => { const d = dicts.get(n); return d ? [...(d.parent ? allMembers(d.parent) : []), ...d.members] : []; };
  const mkCandidate = v => { const c = new classes.RTCIceCandidate(INTERNAL, null); c[STATE] = { candidate: '', sdpMid: null, sdpMLineIndex: null, usernameFragment: null, foundation: null, component: null, priority: null, address: null, protocol: null, port: null, type: null, tcpType: null, relatedAddress: null, relatedPort: null, relayProtocol: null, url: null, ...v }; return c; };
  const mkError = e => {
    const m = e.message || '';
    if (e.name === 'TypeError') return new TypeError(m); if (e.name === 'RangeError') return new RangeError(m);
    if (e.name === 'RTCError') return new classes.RTCError({ errorDetail: e.errorDetail || 'sdp-syntax-error', ...(e.sdpLineNumber != null && { sdpLineNumber: e.sdpLineNumber }) }, m);
    if (e.name === 'BackendError' || e.name === 'NotImplemented') { stats.missing[m.slice(0, 120)] = (stats.missing[m.slice(0, 120)] || 0) + 1; const x = new Error(m); x.name = e.name; return x; }
    return new DOMException(m, e.name);
  };
  const rpcSync = req => { const r = link.callSync(req); if (r.err) throw mkError(r.err); return r.ok; };
  const rpcAsync = req => new Promise((res, rej) => link.call(req, res, e => rej(mkError(e))));
  // ---- WebIDL conversions ----
  const TE = m => new TypeError(m);
  const ints = { octet: [0, 255], 'unsigned short': [0, 65535], short: [-32768, 32767], 'unsigned long': [0, 4294967295], long: [-2147483648, 2147483647], 'unsigned long long': [0, Number.MAX_SAFE_INTEGER] };
  const has = (ext, n) => (ext || []).some(a => a.name === n);
  function conv(t, v, ext, where) {
    if (t.nullable && (v === null || v === undefined)) return null;
    ext = [...(ext || []), ...(t.extAttrs || [])];
    if (t.union) {
      const ts = t.idlType;
      const I = ts.find(x => ifaces.has(x.idlType) || classes[x.idlType]); if (I && v !== null && typeof v === 'object' && v instanceof classes[I.idlType]) return v;
      const S = ts.find(x => x.generic === 'sequence'); if (S && v !== null && typeof v === 'object' && v[Symbol.iterator]) return conv(S, v, ext, where);
      const D = ts.find(x => /String/.test(x.idlType)); return conv(D || ts[0], v, ext, where);
    }
    if (t.generic === 'sequence' || t.generic === 'FrozenArray') {
      if (v === null || (typeof v !== 'object' && typeof v !== 'function') || typeof v[Symbol.iterator] !== 'function') throw TE(`${where}: not a sequence`);
      return [...v].map(x => conv(t.idlType[0], x, [], where));
    }
    const n = t.idlType;
    switch (n) {
      case 'any': return v; case 'object': if (v === null || typeof v !== 'object') throw TE(`${where}: not an object`); return v;
      case 'boolean': return !!v;
      case 'DOMString': case 'USVString': { if (typeof v === 'symbol') throw TE(`${where}: symbol`); const s = String(v); return n === 'USVString' ? s.toWellFormed?.() ?? s.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD') : s; }
      case 'double': case 'DOMHighResTimeStamp': { const x = Number(v); if (!Number.isFinite(x)) throw TE(`${where}: not a finite number`); return x; }
      case 'unrestricted double': return Number(v);
      case 'EpochTimeStamp': return Number(v);
      case 'AlgorithmIdentifier': if (v !== null && typeof v === 'object') { const o = {}; for (const k of ['name', 'hash', 'modulusLength', 'publicExponent', 'namedCurve', 'expires']) if (v[k] !== undefined) o[k] = v[k]; if (o.expires !== undefined) o.expires = conv({ idlType: 'unsigned long long' }, o.expires, [{ name: 'EnforceRange' }], 'expires'); return o; } return String(v);
    }
    if (ints[n]) {
      const [lo, hi] = ints[n]; let x = Number(v); if (typeof v === 'bigint') throw TE('bigint');
      if (has(ext, 'EnforceRange')) { if (!Number.isFinite(x)) throw TE(`${where}: not an integer`); x = Math.trunc(x) + 0; if (x < lo || x > hi) throw TE(`${where}: ${x} out of range`); return x; }
      if (has(ext, 'Clamp')) return Math.min(hi, Math.max(lo, Math.round(x) || 0));
      if (!Number.isFinite(x)) return 0; x = Math.trunc(x); const m = hi - lo + 1; x = ((x % m) + m) % m; if (lo < 0 && x > hi) x -= m; return x + 0;
    }
    if (enums.has(n)) { const s = String(v); if (!enums.get(n).includes(s)) throw TE(`${where}: '${s}' is not a ${n}`); return s; }
    if (dicts.has(n)) return convDict(n, v, where);
    if (callbacks.has(n) || n === 'VoidFunction' || n === 'Function') { if (typeof v !== 'function') throw TE(`${where}: not a function`); return v; }
    if (classes[n]) { if (!(v instanceof classes[n])) throw TE(`${where}: not a ${n}`); return v; }
    return v;
  }
  function convDict(n, v, where) {
    if (v !== undefined && v !== null && typeof v !== 'object' && typeof v !== 'function') throw TE(`${where}: not a dictionary`);
    const o = {}; const chain = []; for (let d = n; d && dicts.has(d); d = dicts.get(d).parent) chain.unshift(dicts.get(d));
    for (const d of chain) for (const m of [...d.members].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const x = v === undefined || v === null ? undefined : v[m.name];
      if (x !== undefined) o[m.name] = conv(m.idlType, x, m.extAttrs, `${n}.${m.name}`);
      else if (m.default) o[m.name] = dflt(m.default); else if (m.required) throw TE(`${n}.${m.name} is required`);
    }
    return o;
  }
  const dflt = d => d.type === 'sequence' ? [] : d.type === 'dictionary' ? {} : d.type === 'null' ? null : d.type === 'boolean' ? d.value : d.type === 'number' ? Number(d.value) : d.value;
  const convArgs = (args, a, where) => {
    const need = args.filter(x => !x.optional && !x.variadic).length; if (a.length < need) throw TE(`${where}: ${need} arguments required, ${a.length} given`);
    const out = [];
    args.forEach((p, i) => {
      if (p.variadic) { for (let j = i; j < a.length; j++) out.push(conv(p.idlType, a[j], p.extAttrs, `${where} argument ${j + 1}`)); return; }
      if (a[i] === undefined && p.optional) { if (p.default) out.push(dicts.has(p.idlType.idlType) ? convDict(p.idlType.idlType, undefined, where) : dflt(p.default)); else out.push(undefined); return; }
      out.push(conv(p.idlType, a[i], p.extAttrs, `${where} argument ${i + 1}`));
    });
    while (out.length && out[out.length - 1] === undefined) out.pop();
    return out;
  };
  // ---- events ----
  class EvBase extends Event { }
  const handlerAttr = (proto, name) => {
    const ev = name.slice(2), K = Symbol(name);
    Object.defineProperty(proto, name, { configurable: true, enumerable: true,
      get() { return this[K]?.fn ?? null; },
      set(f) { if (typeof f !== 'function' && !(f && typeof f === 'object')) f = null; if (!this[K]) { const h = this[K] = { fn: f }; this.addEventListener(ev, function (e) { if (typeof h.fn === 'function') { const r = h.fn.call(this, e); if (r === false) e.preventDefault(); } }); } else this[K].fn = f; } });
  };
  const illegal = () => { throw TE('Illegal constructor'); };
  // ---- classes ----
  const valueTypes = new Set(['RTCSessionDescription', 'RTCIceCandidate', 'RTCIceCandidatePair', 'RTCError']);
  const isEvent = n => /Event$/.test(n);
  for (const [n, d] of ifaces) {
    if (n === 'RTCError') continue;
    const ctor = d.members.find(m => m.type === 'constructor');
    let C;
    if (isEvent(n)) {
      const initName = ctor.arguments[1].idlType.idlType;
      C = ({ [n]: class extends EvBase { constructor(...a) { const [type, init] = convArgs(ctor.arguments, a, n); super(type, a[1] || {}); this[STATE] = init ?? convDict(initName, undefined, n); if (this[STATE].streams) this[STATE].streams = Object.freeze(this[STATE].streams); } } })[n];
      for (const m of d.members) if (m.type === 'attribute') Object.defineProperty(C.prototype, m.name, { configurable: true, enumerable: true, get() { const v = this[STATE][m.name]; return v === undefined ? (m.idlType.nullable ? null : m.idlType.idlType === 'USVString' ? '' : v) : v; } });
      Object.defineProperty(C, 'length', { value: ctor.arguments.filter(x => !x.optional).length }); classes[n] = C; continue;
    }
    const Base = d.parent === 'EventTarget' ? EventTarget : Object;
    const body = function (self, a) {
      if (a[0] === INTERNAL) { self[ID] = a[1]; self[STATE] = self[STATE] || {}; return; }
      if (!ctor) illegal();
      const args = convArgs(ctor.arguments, a, n);
      if (n === 'RTCSessionDescription') { self[STATE] = args[0]; return; }
      if (n === 'RTCIceCandidate') {
        if (args[0].sdpMid === null && args[0].sdpMLineIndex === null) throw TE('sdpMid and sdpMLineIndex are both null');
        self[STATE] = mkCandidate({ ...rpcSync({ op: 'new', type: n, args: toWire(args) }) })[STATE]; for (const k of ['candidate', 'sdpMid', 'sdpMLineIndex', 'usernameFragment']) if (!(self[STATE][k] !== null) && args[0][k] !== undefined) self[STATE][k] = args[0][k]; return;
      }
      const r = rpcSync({ op: 'new', type: n, args: toWire(args) }); self[ID] = r.$ref; const st = early.get(r.$ref); early.delete(r.$ref); self[STATE] = st || {}; objects.set(r.$ref, self);
    };
    C = Base === EventTarget ? ({ [n]: class extends EventTarget { constructor(...a) { super(); body(this, a); } } })[n] : ({ [n]: class { constructor(...a) { body(this, a); } } })[n];
    Object.defineProperty(C, 'length', { value: ctor ? ctor.arguments.filter(x => !x.optional).length : 0 });
    classes[n] = C;
    const ops = new Map();
    for (const m of d.members) {
      if (m.type === 'attribute') {
        if (m.idlType.idlType === 'EventHandler') { handlerAttr(C.prototype, m.name); continue; }
        const tn = baseName(m.idlType), name = m.name;
        const desc = { configurable: true, enumerable: true, get() { if (!(this instanceof C)) throw TE('Illegal invocation'); return readAttr(this, name, tn, m); } };
        if (!m.readonly) desc.set = function (v) { if (!(this instanceof C)) throw TE('Illegal invocation');
          if (enums.has(tn)) { if (!enums.get(tn).includes(String(v))) return; v = String(v); } else v = conv(m.idlType, v, m.extAttrs, name);
          if (name === 'binaryType') { this[STATE].binaryType = v; return; }
          rpcSync({ op: 'set', obj: this[ID], attr: name, value: toWire(v) }); };
        Object.defineProperty(C.prototype, name, desc);
      } else if (m.type === 'operation' && m.name) { (ops.get(m.name) || ops.set(m.name, []).get(m.name)).push(m); }
    }
    for (const [name, list] of ops) {
      const st = list[0].special === 'static', m0 = list[0], prom = m0.idlType.generic === 'Promise', rt = baseName(prom ? m0.idlType.idlType[0] : m0.idlType), seqRet = m0.idlType.generic === 'sequence';
      if (name === 'toJSON') { C.prototype.toJSON = n === 'RTCIceCandidate' ? function () { const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this[STATE]; return { candidate, sdpMid, sdpMLineIndex, usernameFragment }; } : function () { return { type: this[STATE].type, sdp: this[STATE].sdp }; }; continue; }
      if (name === 'send' && n === 'RTCDataChannel') continue;
      const post = v => rt === 'RTCStatsReport' ? mkReport(v) : seqRet ? (v || []).map(x => fromWire(x, rt)) : rt === 'undefined' ? undefined : fromWire(v ?? null, rt);
      const legacy = list[1];
      const fn = { [name](...a) {
        if (prom) {
          try {
            if (!st && !(this instanceof C)) throw TE('Illegal invocation');
            const cbAt = legacy ? legacy.arguments.findIndex(x => callbacks.has(x.idlType.idlType) || x.idlType.idlType === 'VoidFunction') : -1;
            if (legacy && a.length > cbAt && typeof a[cbAt] === 'function') {
              const args = convArgs(legacy.arguments, a, name), ok = args[cbAt], bad = args[cbAt + 1]; const rest = args.filter((x, i) => i !== cbAt && i !== cbAt + 1);
              return rpcAsync({ op: 'call', obj: this[ID], method: name, args: toWire(rest) }).then(v => { ok(post(v)); }, e => { bad(e); });
            }
            const args = convArgs(m0.arguments, a, name);
            return rpcAsync(st ? { op: 'static', type: n, method: name, args: toWire(args) } : { op: 'call', obj: this[ID], method: name, args: toWire(args) }).then(post);
          } catch (e) { return Promise.reject(e); }
        }
        if (!st && !(this instanceof C)) throw TE('Illegal invocation');
        const args = convArgs(m0.arguments, a, name);
        const r = post(rpcSync(st ? { op: 'static', type: n, method: name, args: toWire(args) } : { op: 'call', obj: this[ID], method: name, args: toWire(args) }));
        if (n === 'RTCPeerConnection' && name === 'close') { link.dropFor(new Set([this[ID], ...[...objects.keys()].filter(id => id.startsWith(this[ID] + '/'))])); link.dropPending(this[ID]); } if (n === 'RTCDataChannel' && name === 'close') link.dropOpen(this[ID]);
        return r;
      } }[name];
      Object.defineProperty(fn, 'length', { value: m0.arguments.filter(x => !x.optional && !x.variadic).length });
      Object.defineProperty(st ? C : C.prototype, name, { value: fn, writable: true, configurable: true, enumerable: true });
    }
  }
  function readAttr(o, name, tn, m) {
    const S = o[STATE];
    if (!(name in S)) {
      if (name === 'binaryType') return S.binaryType = 'arraybuffer';
      if (!o[ID]) return m.idlType.nullable ? null : undefined;
      return fromWire(rpcSync({ op: 'get', obj: o[ID], attr: name }), tn);
    }
    const v = S[name];
    if (v && v.$lazy) {
      if (tn === 'RTCSessionDescription') { // localDescription and pendingLocalDescription are one object, and so on
        const side = /local/i.test(name) ? 'L' : 'R', key = side + v.$lazy.type + v.$lazy.sdp, m = S.$desc ??= new Map(); if (!m.has(key)) { if (m.size > 12) m.clear(); m.set(key, fromWire(v.$lazy, tn)); } return S[name] = m.get(key);
      }
      S[name] = fromWire(v.$lazy, tn); return S[name];
    }
    return v === undefined ? null : v;
  }
  const early = new Map(); // patches for objects that have no wrapper yet
  // A blocking reply overtakes the messages on their way: what it set is newer than what they say. Answers what was too old, as 'id attribute'.
  const SEEN = Symbol('seen');
  const applyPatch = (p, n) => { const stale = new Set(); for (const id of Object.keys(p)) { const o = objects.get(id); const st = {}, seen = o && (o[SEEN] ??= {}); for (const k of Object.keys(p[id])) { if (o) { if (seen[k] > n) { stale.add(id + ' ' + k); continue; } seen[k] = n; } const v = p[id][k]; st[k] = v !== null && typeof v === 'object' ? { $lazy: v } : v; }
    if (o) { if (o instanceof MediaStream && st.tracks) st.tracks = fromWire(p[id].tracks); Object.assign(o[STATE], st); } else early.set(id, { ...(early.get(id) || {}), ...st }); } return stale; };
  // ---- RTCError, stats, tracks, streams ----
  const errMembers = ['sdpLineNumber', 'sctpCauseCode', 'receivedAlert', 'sentAlert'];
  class RTCError extends DOMException {
    constructor(init, message = '') { if (arguments.length < 1) throw TE('RTCErrorInit is required'); const i = convDict('RTCErrorInit', init, 'RTCError'); super(String(message), 'OperationError'); Object.defineProperty(this, STATE, { value: i }); }
    get errorDetail() { return this[STATE].errorDetail; }
  }
  for (const k of errMembers) Object.defineProperty(RTCError.prototype, k, { configurable: true, enumerable: true, get() { return this[STATE][k] ?? null; } });
  classes.RTCError = RTCError;
  class RTCStatsReport { constructor(tok, m) { if (tok !== INTERNAL) illegal(); Object.defineProperty(this, STATE, { value: m }); }
    get size() { return this[STATE].size; } get(k) { return this[STATE].get(String(k)); } has(k) { return this[STATE].has(String(k)); } keys() { return this[STATE].keys(); } values() { return this[STATE].values(); } entries() { return this[STATE].entries(); } [Symbol.iterator]() { return this[STATE].entries(); } forEach(f, t) { this[STATE].forEach((v, k) => f.call(t, v, k, this)); } }
  classes.RTCStatsReport = RTCStatsReport;
  const mkReport = v => new RTCStatsReport(INTERNAL, new Map((v || []).map(s => [s.id, fromWire(s)])));
  class MediaStreamTrack extends EventTarget {
    constructor(tok, id) { super(); if (tok !== INTERNAL) illegal(); this[ID] = id; this[STATE] = {}; }
    get kind() { return this[STATE].kind; } get id() { return this[STATE].id; } get label() { return this[STATE].label ?? ''; } get muted() { return !!this[STATE].muted; } get readyState() { return this[STATE].readyState ?? 'live'; }
    get enabled() { return this[STATE].enabled ?? true; } set enabled(v) { this[STATE].enabled = !!v; rpcSync({ op: 'set', obj: this[ID], attr: 'enabled', value: !!v }); }
    get contentHint() { return this[STATE].contentHint ?? ''; } set contentHint(v) { const ok = this.kind === 'audio' ? ['', 'speech', 'speech-recognition', 'music'] : ['', 'motion', 'detail', 'text']; if (ok.includes(String(v))) this[STATE].contentHint = String(v); }
    stop() { if (this.readyState === 'ended') return; this[STATE].readyState = 'ended'; rpcSync({ op: 'call', obj: this[ID], method: 'stop', args: [] }); }
    clone() { return fromWire(rpcSync({ op: 'call', obj: this[ID], method: 'clone', args: [] })); }
    getSettings() { return { deviceId: 'fake', ...(this.kind === 'video' ? { width: 640, height: 480, frameRate: 30 } : {}) }; } getConstraints() { return {}; } getCapabilities() { return {}; } async applyConstraints() { }
  }
  for (const h of ['onmute', 'onunmute', 'onended']) handlerAttr(MediaStreamTrack.prototype, h);
  classes.MediaStreamTrack = MediaStreamTrack;
  class MediaStream extends EventTarget {
    constructor(a, b) { super();
      if (a === INTERNAL) { this[ID] = b; this[STATE] = { tracks: [] }; return; }
      const tracks = a === undefined ? [] : a instanceof MediaStream ? a.getTracks() : [...a].map(t => conv({ idlType: 'MediaStreamTrack' }, t, [], 'MediaStream'));
      const r = rpcSync({ op: 'new', type: 'MediaStream', args: [toWire(tracks)] }); this[ID] = r.$ref; const st = early.get(r.$ref) || {}; early.delete(r.$ref); this[STATE] = { ...st, tracks: [...new Set(tracks)] }; objects.set(r.$ref, this); }
    get id() { return this[STATE].id; } get active() { return this[STATE].tracks.some(t => t.readyState === 'live'); }
    getTracks() { return [...this[STATE].tracks]; } getAudioTracks() { return this[STATE].tracks.filter(t => t.kind === 'audio'); } getVideoTracks() { return this[STATE].tracks.filter(t => t.kind === 'video'); } getTrackById(i) { return this[STATE].tracks.find(t => t.id === i) ?? null; }
    addTrack(t) { conv({ idlType: 'MediaStreamTrack' }, t, [], 'addTrack'); if (!this[STATE].tracks.includes(t)) this[STATE].tracks.push(t); } removeTrack(t) { const i = this[STATE].tracks.indexOf(t); if (i >= 0) this[STATE].tracks.splice(i, 1); }
    clone() { return new MediaStream(this.getTracks().map(t => t.clone())); }
  }
  for (const h of ['onaddtrack', 'onremovetrack']) handlerAttr(MediaStream.prototype, h);
  classes.MediaStream = MediaStream;
  class MediaStreamTrackEvent extends Event { constructor(type, init) { super(type, init); if (!init?.track) throw TE('track is required'); Object.defineProperty(this, 'track', { value: init.track, enumerable: true }); } }
  classes.MediaStreamTrackEvent = MediaStreamTrackEvent;
  // refs seen for the first time take the patches that came before them
  const origSet = objects.set.bind(objects);
  objects.set = (id, o) => { origSet(id, o); if (early.has(id)) { const st = early.get(id); early.delete(id); if (o instanceof MediaStream && st.tracks?.$lazy) st.tracks = fromWire(st.tracks.$lazy); Object.assign(o[STATE], st); } return objects; };
  // ---- RTCDataChannel.send ----
  Object.defineProperty(classes.RTCDataChannel.prototype, 'send', { writable: true, configurable: true, enumerable: true, value: function send(data) {
    if (!(this instanceof classes.RTCDataChannel)) throw TE('Illegal invocation'); if (arguments.length < 1) throw TE('1 argument required');
    let w; if (data instanceof G.Blob) w = { $bin: b64(data._bytes) }; else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) w = toWire(data); else w = conv({ idlType: 'USVString' }, data, [], 'send');
    // The answer is by how much the stack's bufferedAmount rose. Within one task the page sees it rise only: what is sent meanwhile is told by later messages.
    const before = readAttr(this, 'bufferedAmount'), added = rpcSync({ op: 'call', obj: this[ID], method: 'send', args: [w] });
    if (typeof added === 'number') { this[STATE].bufferedAmount = before + added; (this[SEEN] ??= {}).bufferedAmount = link.lastReply; }
  } });
  // ---- messages from the backend ----
  link.onmessage = ({ patch, n, ev, obj, data, stale }) => {
    if (patch) return applyPatch(patch, n);
    // The page sent more since: as it sees the channel, the amount never was low.
    if (ev === 'bufferedamountlow' && stale?.has(obj + ' bufferedAmount')) return;
    const o = objects.get(obj); if (!o) return; data = data || {};
    let e;
    try {
      if (ev === 'icecandidate') e = new classes.RTCPeerConnectionIceEvent(ev, { candidate: data.candidate ? mkCandidate(data.candidate) : null, ...(data.url != null && { url: data.url }) });
      else if (ev === 'icecandidateerror') e = new classes.RTCPeerConnectionIceErrorEvent(ev, fromWire(data));
      else if (ev === 'track') e = new classes.RTCTrackEvent(ev, fromWire(data));
      else if (ev === 'datachannel') e = new classes.RTCDataChannelEvent(ev, fromWire(data));
      else if (ev === 'tonechange') e = new classes.RTCDTMFToneChangeEvent(ev, fromWire(data));
      else if (ev === 'error') e = new classes.RTCErrorEvent(ev, { error: new RTCError({ errorDetail: 'data-channel-failure', ...data.error, message: undefined }, data.error?.message || '') });
      else if (ev === 'addtrack' || ev === 'removetrack') e = new MediaStreamTrackEvent(ev, fromWire(data));
      else if (ev === 'message') { let d = data.data; if (d && d.$bin !== undefined) { const u = unb64(d.$bin); d = (o[STATE].binaryType ?? 'arraybuffer') === 'blob' ? new G.Blob([u]) : u.buffer; } e = new MessageEvent(ev, { data: d, origin: data.origin || '' }); }
      else e = new Event(ev);
    } catch (x) { process.stderr.write(`bad event ${ev}: ${x.message} ${JSON.stringify(data).slice(0, 200)}\n`); return; }
    o.dispatchEvent(e);
  };
  for (const n of Object.keys(classes)) Object.defineProperty(G, n, { value: classes[n], writable: true, configurable: true, enumerable: false });
  G.__makeTrack = kind => fromWire(rpcSync({ op: 'new', type: 'MediaStreamTrack', args: [{ kind }] }));
  return { classes };
};
