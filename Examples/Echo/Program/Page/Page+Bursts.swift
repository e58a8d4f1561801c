extension Page {
    /// Script: many messages, and how long they took.
    static let burstsScript = #"""
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
        """#
}
