extension Page {
    /// Script: what is shown of the connection, and messages that are typed.
    static let messagesScript = #"""
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
        """#
}
