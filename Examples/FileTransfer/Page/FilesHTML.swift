/// What is seen of the page.
enum FilesHTML {
    static let head = #"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Files</title>
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
        section { border: 1px solid #ccc; border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
        input, button { font: inherit; padding: .3rem .6rem }
        progress { width: 100% }
        #log { white-space: pre-wrap; font: 14px/1.4 monospace }
        code { font-size: 1.3rem }
        </style>
        <h1>Files</h1>
        <section>
        <h2>Receive</h2>
        <p><label>Code <input id="code" placeholder="7-crossword-guitar" autocomplete="off" spellcheck="false"></label>
        <button id="receive">Receive</button> <button id="folder" hidden>Receive into a folder</button></p>
        </section>
        <section>
        <h2>Send</h2>
        <p><input id="files" type="file" multiple> <button id="send">Send</button></p>
        <p id="shown" hidden>Tell the other side: <code id="given"></code></p>
        </section>
        <p id="state" role="status"></p>
        <progress id="bar" max="1" value="0" hidden></progress>
        <ul id="list"></ul>
        <div id="log" role="status"></div>
        """# + "\n"
}
