extension Page {
    /// Script: the plot of their times; at its end the page begins.
    static let plotScript = #"""
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
        """#
}
