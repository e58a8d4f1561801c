import Foundation
import Testing

/// Descriptions as Chromium, Firefox, libwebrtc, Pion, aiortc and libdatachannel made them.
enum Samples {
    static let names = [
        "aiortc-answer", "aiortc-offer", "chromium-answer", "chromium-data-answer", "chromium-data-offer",
        "chromium-offer", "firefox-answer", "firefox-data-answer", "firefox-data-offer", "firefox-offer", "ldc-offer",
        "pion-media-offer", "pion-offer", "wrtc-offer",
    ]

    static func text(_ name: String) throws -> String {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "sdp", subdirectory: "Samples"),
            "no sample \(name)"
        )
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }
}

/// Text comparison in Swift takes canonically equal texts for the same; these tests mean bytes.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func sameBytes(_ first: String, _ second: String) -> Bool { bytes(first) == bytes(second) }
