import NIOCore

/// The pages that the protocol prescribes word for word.
enum SockJSPages {
    static let greeting = "Welcome to SockJS!\n"

    /// The page for transports in an iframe of the server's own origin.
    static func iframe(clientURL: String) -> String {
        """
        <!DOCTYPE html>
        <html>
        <head>
          <meta http-equiv="X-UA-Compatible" content="IE=edge" />
          <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
          <script>
            document.domain = document.domain;
            _sockjs_onload = function(){SockJS.bootstrap_iframe();};
          </script>
          <script src="\(clientURL)"></script>
        </head>
        <body>
          <h2>Don't panic!</h2>
          <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
        </body>
        </html>
        """
    }

    /// The beginning of an endless page of scripts.
    static func htmlFile(callback: String) -> ByteBuffer {
        let head = """
            <!doctype html>
            <html><head>
              <meta http-equiv="X-UA-Compatible" content="IE=edge" />
              <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
            </head><body><h2>Don't panic!</h2>
              <script>
                document.domain = document.domain;
                var c = parent.\(callback);
                c.start();
                function p(d) {c.message(d);};
                window.onload = function() {c.stop();};
              </script>
            """
        // Browsers begin to show a page after its first KiB.
        let padding = String(repeating: " ", count: max(0, 1100 - head.utf8.count))
        return ByteBuffer(string: head + padding + "\r\n\r\n")
    }
}
