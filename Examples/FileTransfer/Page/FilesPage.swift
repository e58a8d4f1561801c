import ExampleSupport
import RTCSignaling
public import RTCSignalingServer

/// A page on which a browser receives and sends files, and the mailbox that it meets others on.
public enum FilesPage {
    /// Serves the page under `/files` and the mailbox under `/mailbox`.
    public static func serve(on routes: inout SignalingRoutes, mailbox: MailboxHub) {
        routes.webSocket("/mailbox") { await mailbox.serve($0) }
        routes.sockJS("/mailbox") { await mailbox.serve($0) }
        let page = SignalingResponse(
            200,
            headers: [
                "content-type": "text/html; charset=utf-8",
                // Nothing but what is in the page, and nobody else's page around it.
                "content-security-policy":
                    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:; "
                    + "frame-ancestors 'none'; base-uri 'none'",
                "referrer-policy": "no-referrer",
            ],
            text: Self.html
        )
        routes.http("/files") { _ in page }
    }

    static let html =
        FilesHTML.head + "<script>\nconst WORD_LISTS = \(PairingCode.wordLists);\n" + SignalingSocketScript.text
        + FilesCrypto.script
        + FilesProtocol.script + FilesUI.script + "</script>\n"
}
