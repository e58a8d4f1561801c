extension Page {
    /// What stands in it.
    static let markup = #"""
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
        """#
}
