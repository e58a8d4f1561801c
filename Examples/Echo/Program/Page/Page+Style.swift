extension Page {
    /// How it looks.
    static let style = #"""
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
        """#
}
