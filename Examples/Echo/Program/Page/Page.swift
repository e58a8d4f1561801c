/// The page that `GET /` answers with: one file, no foreign script, the same in Chromium and Firefox.
enum Page {
    /// The page's HTML, UTF-8.
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy"
          content="default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline';
            script-src 'unsafe-inline'">
        <link rel="icon" href="data:,">
        <title>WebRTC echo</title>
        <style>
        :root {
          --page: #f5f6f8; --card: #ffffff; --line: #dfe2e8; --text: #1b1f27; --soft: #5d6675;
          --accent: #d9480f; --accent-text: #ffffff; --good: #1f7a3d; --warn: #9a6700; --bad: #b42318;
          --plot: #d9480f; --plot-soft: rgba(217, 72, 15, .14); --field: #ffffff;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #111318; --card: #1a1d24; --line: #2d323d; --text: #e8eaf0; --soft: #9aa3b2;
            --accent: #ff8a4c; --accent-text: #1a1006; --good: #5bd083; --warn: #e3b341; --bad: #ff8077;
            --plot: #ff8a4c; --plot-soft: rgba(255, 138, 76, .16); --field: #12141a;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--text);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
        }
        header, main { max-width: 1040px; margin: 0 auto; padding: 0 20px; }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: 12px 16px; padding-top: 28px; }
        h1 { font-size: 24px; letter-spacing: -.01em; margin: 0; }
        h2 { font-size: 13px; letter-spacing: .05em; text-transform: uppercase; color: var(--soft); margin: 0 0 12px; }
        header p { flex-basis: 100%; margin: 0; color: var(--soft); }
        main { display: grid; grid-template-columns: repeat(12, 1fr); gap: 16px; padding-block: 20px 40px; }
        video { width: min(100%, 480px); border-radius: 8px; background: #000; }
        section {
          grid-column: span 12; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
          padding: 18px 20px; min-width: 0;
        }
        @media (min-width: 820px) { .half { grid-column: span 6; } }
        button, input, select { font: inherit; color: inherit; border-radius: 8px; }
        input, select { border: 1px solid var(--line); background: var(--field); padding: 7px 10px; height: 40px; min-width: 0; }
        button {
          border: 1px solid var(--line); background: transparent; padding: 7px 16px; height: 40px; font-weight: 600;
          cursor: pointer;
        }
        button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-text); }
        button:disabled, input:disabled, select:disabled { opacity: .5; cursor: not-allowed; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        .pill {
          display: inline-flex; align-items: center; gap: 8px; padding: 3px 12px; border-radius: 99px;
          border: 1px solid var(--line); background: var(--card); font-weight: 600; font-size: 14px;
        }
        .pill::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: var(--soft); }
        .pill[data-state="connected"]::before { background: var(--good); }
        .pill[data-state="connecting"]::before, .pill[data-state="disconnected"]::before { background: var(--warn); }
        .pill[data-state="failed"]::before { background: var(--bad); }
        .spacer { flex: 1; }
        #error { grid-column: span 12; margin: 0; color: var(--bad); font-weight: 600; overflow-wrap: anywhere; }
        #error:empty { display: none; }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 16px; margin: 0; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        form { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; }
        form label { display: grid; gap: 3px; font-size: 13px; color: var(--soft); }
        form label input, form label select { font-size: 15px; color: var(--text); width: 112px; }
        #message { flex: 1; width: auto; }
        #log {
          list-style: none; margin: 14px 0 0; padding: 0; height: 208px; overflow-y: auto;
          border-top: 1px solid var(--line);
        }
        #log li { display: flex; gap: 12px; padding: 6px 2px; border-bottom: 1px solid var(--line); }
        #log .text { flex: 1; min-width: 0; overflow-wrap: anywhere; }
        #log .time { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
        #log .bad { color: var(--bad); }
        .figures {
          display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; margin: 18px 0 14px;
        }
        .figures div { border-left: 3px solid var(--line); padding-left: 12px; }
        .figures b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
        .figures span { color: var(--soft); font-size: 13px; }
        canvas { display: block; width: 100%; height: 220px; }
        progress { width: 100%; height: 6px; margin-bottom: 12px; accent-color: var(--accent); }
        .visually-hidden {
          position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
        }
        </style>
        </head>
        <body>
        <header>
          <h1>WebRTC echo</h1>
          <span id="state" class="pill" role="status" data-state="new">new</span>
          <span class="spacer"></span>
          <label><input id="with-media" type="checkbox"> with camera and microphone</label>
          <button id="connect" class="primary" type="button">Connect</button>
          <p>Whatever is sent to this server over WebRTC comes back as it went: text as text, binary as binary, sound and
            pictures as sound and pictures.</p>
        </header>
        <main>
          <p id="error" role="alert"></p>

          <section class="half" aria-labelledby="message-title">
            <h2 id="message-title">Message</h2>
            <form id="message-form">
              <label for="message" class="visually-hidden">Message</label>
              <input id="message" name="message" autocomplete="off" placeholder="Type a message" disabled>
              <button id="send" type="submit" disabled>Send</button>
            </form>
            <ol id="log" aria-live="polite" aria-label="Echoed messages" tabindex="0"></ol>
          </section>

          <section class="half" aria-labelledby="connection-title">
            <h2 id="connection-title">Connection</h2>
            <dl>
              <dt>ICE</dt><dd id="ice-state">new</dd>
              <dt>DTLS</dt><dd id="dtls-state">–</dd>
              <dt>Channel</dt><dd id="channel-state">–</dd>
              <dt>This browser</dt><dd id="local-candidate">–</dd>
              <dt>Server</dt><dd id="remote-candidate">–</dd>
              <dt>Round trip (STUN)</dt><dd id="stun-rtt">–</dd>
              <dt>Sent</dt><dd id="bytes-sent">–</dd>
              <dt>Received</dt><dd id="bytes-received">–</dd>
              <dt>Connected in</dt><dd id="connect-time">–</dd>
            </dl>
          </section>

          <section id="pictures" aria-labelledby="pictures-title" hidden>
            <h2 id="pictures-title">Camera, and what comes back</h2>
            <video id="own-video" autoplay muted playsinline></video>
            <video id="echo-video" autoplay playsinline controls></video>
          </section>

          <section aria-labelledby="burst-title">
            <h2 id="burst-title">Many messages</h2>
            <form id="burst-form">
              <label>Messages <input id="burst-count" type="number" min="1" max="100000" value="2000" required></label>
              <label>Bytes each <input id="burst-size" type="number" min="4" max="262144" value="1024" required></label>
              <label>In flight <input id="burst-window" type="number" min="1" max="4096" value="16" required></label>
              <label>Kind
                <select id="burst-kind">
                  <option value="binary">binary</option>
                  <option value="text">text</option>
                </select>
              </label>
              <button id="burst-start" type="submit" disabled>Send</button>
              <button id="burst-stop" type="button" hidden>Stop</button>
            </form>
            <div class="figures" id="burst-result" role="status">
              <div><b id="burst-done">0</b><span>echoed</span></div>
              <div><b id="burst-altered">0</b><span>altered</span></div>
              <div><b id="burst-rate">–</b><span>messages / s</span></div>
              <div><b id="burst-throughput">–</b><span>MB / s each way</span></div>
              <div><b id="burst-min">–</b><span>min ms</span></div>
              <div><b id="burst-median">–</b><span>median ms</span></div>
              <div><b id="burst-p99">–</b><span>99 % ms</span></div>
            </div>
            <progress id="burst-progress" value="0" max="1" aria-label="Messages echoed"></progress>
            <canvas id="plot" role="img" aria-label="Round-trip times: nothing sent yet"></canvas>
          </section>
        </main>
        <script>
        "use strict";
        const $ = id => document.getElementById(id);
        let peer = null, chat = null, burst = null, statsTimer = 0, waiting = [], run = null;

        const show = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
        const milliseconds = value => value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
        const bytes = value => {
          if (value === undefined) return "–";
          const units = ["B", "KiB", "MiB", "GiB"];
          let unit = 0;
          while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
          return (unit === 0 ? value : value.toFixed(1)) + " " + units[unit];
        };

        function showState() {
          const state = peer === null ? "closed" : peer.connectionState;
          show("state", state);
          $("state").dataset.state = state;
          show("ice-state", peer === null ? "closed" : peer.iceConnectionState);
          show("channel-state", chat === null ? "–" : chat.readyState);
          const open = chat !== null && chat.readyState === "open";
          $("message").disabled = $("send").disabled = !open;
          $("burst-start").disabled = !(burst !== null && burst.readyState === "open") || run !== null;
          $("with-media").disabled = peer !== null;
          $("connect").textContent = peer === null ? "Connect" : "Disconnect";
          $("connect").classList.toggle("primary", peer === null);
        }

        // MARK: Connecting

        function gathered(connection) {
          return new Promise(resolve => {
            const check = () => { if (connection.iceGatheringState === "complete") resolve(); };
            connection.addEventListener("icegatheringstatechange", check);
            // A STUN server that does not answer must not hold the page up.
            setTimeout(resolve, 3000);
            check();
          });
        }

        // MARK: Camera and microphone

        let media = null;

        async function addMedia(connection) {
          media = await navigator.mediaDevices.getUserMedia({
            video: true, audio: { echoCancellation: false },
          });
          const returned = new MediaStream();
          connection.addEventListener("track", event => returned.addTrack(event.track));
          for (const track of media.getTracks()) connection.addTrack(track, media);
          $("own-video").srcObject = media;
          $("echo-video").srcObject = returned;
          $("pictures").hidden = false;
        }

        function removeMedia() {
          for (const track of media === null ? [] : media.getTracks()) track.stop();
          media = null;
          $("pictures").hidden = true;
          $("own-video").srcObject = $("echo-video").srcObject = null;
        }

        async function connect() {
          show("error", "");
          const started = performance.now();
          const connection = new RTCPeerConnection();
          peer = connection;
          chat = connection.createDataChannel("chat");
          burst = connection.createDataChannel("burst");
          burst.binaryType = "arraybuffer";
          connection.addEventListener("connectionstatechange", () => {
            if (peer !== connection) return;
            if (connection.connectionState === "failed") disconnect("The connection failed: no candidate pair works.");
            else if (connection.connectionState === "closed") disconnect();
            else showState();
          });
          connection.addEventListener("iceconnectionstatechange", () => { if (peer === connection) showState(); });
          for (const channel of [chat, burst]) {
            channel.addEventListener("open", () => {
              if (channel === chat) show("connect-time", milliseconds(performance.now() - started) + " ms");
              showState();
              showStats();
            });
            channel.addEventListener("close", () => {
              if (peer === connection) disconnect("The server closed the connection.");
            });
          }
          chat.addEventListener("message", event => chatEcho(event.data));
          burst.addEventListener("message", event => burstEcho(event.data));
          showState();
          try {
            if ($("with-media").checked) await addMedia(connection);
            await connection.setLocalDescription();
            await gathered(connection);
            if (peer !== connection) return;
            const response = await fetch("offer", {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body: JSON.stringify({ type: "offer", sdp: connection.localDescription.sdp }),
            });
            const answer = await response.json();
            if (!response.ok) throw new Error(answer.error || "The server answered " + response.status + ".");
            if (peer !== connection) return;
            await connection.setRemoteDescription(answer);
            statsTimer = setInterval(showStats, 1000);
            showStats();
          } catch (error) {
            if (peer === connection) disconnect(error.message);
          }
        }

        function disconnect(reason) {
          if (reason) show("error", reason);
          clearInterval(statsTimer);
          const connection = peer;
          peer = chat = burst = null;
          waiting = [];
          finishRun();
          if (connection !== null) connection.close();
          removeMedia();
          showState();
        }

        $("connect").addEventListener("click", () => peer === null ? connect() : disconnect());
        window.addEventListener("pagehide", () => disconnect());

        // MARK: Statistics

        function candidate(entry) {
          if (!entry) return "–";
          const host = entry.address || entry.ip || "(hidden)";
          const where = host.includes(":") ? "[" + host + "]:" + entry.port : host + ":" + entry.port;
          return where + " " + entry.protocol + " " + entry.candidateType;
        }

        async function showStats() {
          const connection = peer;
          if (connection === null) return;
          const report = await connection.getStats();
          if (peer !== connection) return;
          let pair, transport;
          for (const entry of report.values()) if (entry.type === "transport") transport = entry;
          if (transport && transport.selectedCandidatePairId) pair = report.get(transport.selectedCandidatePairId);
          if (!pair) {
            for (const entry of report.values()) {
              if (entry.type !== "candidate-pair") continue;
              if (entry.selected || (entry.nominated && entry.state === "succeeded")) pair = entry;
            }
          }
          const dtls = transport && transport.dtlsState;
          const version = transport && { FEFD: " 1.2", FEFC: " 1.3" }[String(transport.tlsVersion).toUpperCase()] || "";
          show("dtls-state", dtls ? dtls + version : connection.sctp ? connection.sctp.transport.state : "–");
          if (pair) {
            show("local-candidate", candidate(report.get(pair.localCandidateId)));
            show("remote-candidate", candidate(report.get(pair.remoteCandidateId)));
            const time = pair.currentRoundTripTime;
            show("stun-rtt", time === undefined ? "–" : milliseconds(time * 1000) + " ms");
            show("bytes-sent", bytes(pair.bytesSent));
            show("bytes-received", bytes(pair.bytesReceived));
          }
        }

        // MARK: One message

        function logLine(text, time, altered) {
          const item = document.createElement("li");
          const body = document.createElement("span");
          body.className = altered ? "text bad" : "text";
          body.textContent = text;
          const side = document.createElement("span");
          side.className = "time";
          side.textContent = time;
          item.append(body, side);
          $("log").prepend(item);
          while ($("log").children.length > 200) $("log").lastChild.remove();
        }

        $("message-form").addEventListener("submit", event => {
          event.preventDefault();
          const text = $("message").value;
          if (chat === null || chat.readyState !== "open") return;
          try {
            chat.send(text);
            waiting.push({ text, sent: performance.now() });
            $("message").value = "";
          } catch (error) {
            show("error", error.message);
          }
        });

        // The channel is ordered and reliable, so echoes come in the order of sending.
        function chatEcho(data) {
          const now = performance.now();
          const first = waiting.shift();
          const altered = !first || data !== first.text;
          const time = first ? milliseconds(now - first.sent) + " ms" : "";
          logLine(String(data), altered ? "altered" : time, altered);
        }

        // MARK: Many messages

        const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

        function makePayload(size, kind) {
          if (kind === "text") return alphabet.repeat(Math.ceil(size / alphabet.length));
          const payload = new Uint8Array(size);
          for (let index = 0; index < size; index += 1) payload[index] = index * 31 + 7;
          return payload;
        }

        function burstMessage(number) {
          if (run.kind === "text") return (number.toString(36).padStart(6, "0") + run.payload).slice(0, run.size);
          new DataView(run.payload.buffer).setUint32(0, number);
          return run.payload;
        }

        function isUnaltered(data, number) {
          const expected = burstMessage(number);
          if (run.kind === "text") return data === expected;
          if (!(data instanceof ArrayBuffer) || data.byteLength !== run.size) return false;
          const received = new Uint8Array(data);
          for (let index = 0; index < run.size; index += 1) if (received[index] !== expected[index]) return false;
          return true;
        }

        function pump() {
          while (run !== null && run.sent < run.count && run.sent - run.done < run.window) {
            if (run.sent > run.done && burst.bufferedAmount > 1048576) return;
            run.times[run.sent % run.times.length] = performance.now();
            try {
              burst.send(burstMessage(run.sent));
            } catch (error) {
              show("error", error.message);
              finishRun();
              return;
            }
            run.sent += 1;
          }
        }

        function burstEcho(data) {
          if (run === null) return;
          const now = performance.now();
          if (!isUnaltered(data, run.done)) run.altered += 1;
          run.trips.push(now - run.times[run.done % run.times.length]);
          run.done += 1;
          run.ended = now;
          if (run.done === run.count || (run.stopped && run.done === run.sent)) finishRun();
          else if (!run.stopped) pump();
        }

        $("burst-form").addEventListener("submit", event => {
          event.preventDefault();
          if (burst === null || burst.readyState !== "open" || run !== null) return;
          show("error", "");
          const [count, size, window] = ["burst-count", "burst-size", "burst-window"].map(id => Number($(id).value));
          const limit = peer.sctp && peer.sctp.maxMessageSize;
          if (limit && size > limit) {
            show("error", "The server takes at most " + limit + " bytes in one message.");
            return;
          }
          const kind = $("burst-kind").value;
          const now = performance.now();
          run = {
            count, size, window, kind, payload: makePayload(size, kind), times: new Float64Array(window),
            trips: [], sent: 0, done: 0, altered: 0, stopped: false, started: now, ended: now, shown: 0,
          };
          plotted = run;
          $("burst-stop").hidden = false;
          showState();
          requestAnimationFrame(frame);
          pump();
        });

        $("burst-stop").addEventListener("click", () => {
          if (run === null) return;
          run.stopped = true;
          if (run.done === run.sent) finishRun();
        });

        function finishRun() {
          if (run === null) return;
          run = null;
          $("burst-stop").hidden = true;
          showRun();
          draw();
          showState();
        }

        let plotted = null;

        function showRun() {
          if (plotted === null) return;
          // Sorting every frame would take the time that is being measured.
          if (run !== null && performance.now() - plotted.shown < 250) return;
          plotted.shown = performance.now();
          const seconds = (plotted.ended - plotted.started) / 1000;
          show("burst-done", String(plotted.done));
          show("burst-altered", String(plotted.altered));
          $("burst-progress").value = plotted.done / plotted.count;
          if (plotted.done === 0 || seconds <= 0) return;
          show("burst-rate", Math.round(plotted.done / seconds).toLocaleString("en"));
          show("burst-throughput", (plotted.done * plotted.size / seconds / 1e6).toFixed(2));
          const sorted = Float64Array.from(plotted.trips).sort();
          const at = part => milliseconds(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);
          show("burst-min", at(0));
          show("burst-median", at(.5));
          show("burst-p99", at(.99));
          if (run === null) {
            $("plot").setAttribute("aria-label",
              "Round-trip times of " + plotted.done + " messages: from " + at(0) + " to " + at(1) + " ms, median "
                + at(.5) + " ms");
          }
        }

        function frame() {
          showRun();
          draw();
          if (run !== null) requestAnimationFrame(frame);
        }

        // MARK: Plot

        function niceCeiling(value) {
          const power = Math.pow(10, Math.floor(Math.log10(value)));
          for (const step of [1, 2, 5, 10]) if (value <= step * power) return step * power;
          return value;
        }

        function draw() {
          const canvas = $("plot");
          const ratio = window.devicePixelRatio || 1;
          const width = canvas.clientWidth, height = canvas.clientHeight;
          if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
          if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
          const context = canvas.getContext("2d");
          const style = getComputedStyle(document.documentElement);
          const color = name => style.getPropertyValue(name).trim();
          context.setTransform(ratio, 0, 0, ratio, 0, 0);
          context.clearRect(0, 0, width, height);
          const left = 56, right = 8, top = 14, bottom = 24;
          const plotWidth = width - left - right, plotHeight = height - top - bottom;
          const trips = plotted === null ? [] : plotted.trips;
          // One column a pixel: its lowest, highest and mean round trip.
          const columns = Math.max(1, Math.min(Math.floor(plotWidth), trips.length));
          const low = [], high = [], mean = [];
          let largest = 0;
          for (let column = 0; column < columns && trips.length > 0; column += 1) {
            const from = Math.floor(column * trips.length / columns);
            const to = Math.max(from + 1, Math.floor((column + 1) * trips.length / columns));
            let least = Infinity, most = 0, sum = 0;
            for (let index = from; index < to; index += 1) {
              least = Math.min(least, trips[index]);
              most = Math.max(most, trips[index]);
              sum += trips[index];
            }
            low.push(least);
            high.push(most);
            mean.push(sum / (to - from));
            largest = Math.max(largest, most);
          }
          const scale = niceCeiling(Math.max(largest, .1));
          const x = column => left + (columns === 1 ? plotWidth / 2 : column * plotWidth / (columns - 1));
          const y = value => top + plotHeight * (1 - value / scale);
          context.font = "12px system-ui, sans-serif";
          context.textBaseline = "middle";
          context.lineWidth = 1;
          for (let step = 0; step <= 4; step += 1) {
            const value = scale * step / 4;
            context.strokeStyle = color("--line");
            context.beginPath();
            context.moveTo(left, Math.round(y(value)) + .5);
            context.lineTo(width - right, Math.round(y(value)) + .5);
            context.stroke();
            context.fillStyle = color("--soft");
            context.textAlign = "right";
            context.fillText(Number(value.toPrecision(3)) + (step === 4 ? " ms" : ""), left - 8, y(value));
          }
          context.textBaseline = "alphabetic";
          context.fillStyle = color("--soft");
          if (trips.length === 0) {
            context.textAlign = "center";
            context.fillText("Round-trip time of each message", left + plotWidth / 2, height - 6);
            return;
          }
          context.textAlign = "left";
          context.fillText("message 1", left, height - 6);
          context.textAlign = "right";
          context.fillText(trips.length.toLocaleString("en"), width - right, height - 6);
          context.fillStyle = color("--plot-soft");
          context.beginPath();
          for (let column = 0; column < columns; column += 1) context.lineTo(x(column), y(high[column]));
          for (let column = columns - 1; column >= 0; column -= 1) context.lineTo(x(column), y(low[column]));
          context.closePath();
          context.fill();
          context.strokeStyle = color("--plot");
          context.lineWidth = 1.5;
          context.lineJoin = "round";
          context.beginPath();
          for (let column = 0; column < columns; column += 1) context.lineTo(x(column), y(mean[column]));
          context.stroke();
        }

        new ResizeObserver(draw).observe($("plot"));
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
        showState();
        </script>
        </body>
        </html>
        """#
}
