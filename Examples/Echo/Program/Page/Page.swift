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
        \#(Self.style)
        </style>
        </head>
        <body>
        \#(Self.markup)
        <script>
        \#(Self.connectingScript)

        \#(Self.messagesScript)

        \#(Self.burstsScript)

        \#(Self.plotScript)
        </script>
        </body>
        </html>
        """#
}
