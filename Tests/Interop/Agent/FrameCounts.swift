import JSONLines
import NIOCore
import RTCCore
import RTCRTP
import Synchronization

/// Counts the frames of a track, those of each simulcast encoding apart.
final class FrameCounts: Sendable {
    private struct Layer {
        var frames = 0
        var keyFrames = 0
        /// Of the last key frame; VP8 only.
        var size: PictureSize?
    }

    private let layers = Mutex<[Int: Layer]>([:])

    func add(_ frame: RTCEncodedFrame) {
        let header = frame.codec.name == "VP8" ? VP8FrameHeader(frame.data.readableBytesSpan) : nil
        self.layers.withLock { layers in
            var layer = layers[frame.encoding] ?? Layer()
            layer.frames += 1
            if frame.isKeyFrame { layer.keyFrames += 1 }
            layer.size = header?.size ?? layer.size
            layers[frame.encoding] = layer
        }
    }

    /// What `getMedia` tells (PROTOCOL.md).
    var json: JSONValue {
        let layers = self.layers.withLock { $0 }.sorted { $0.key < $1.key }
        return [
            "frames": JSONValue(layers.reduce(0) { $0 + $1.value.frames }),
            "layers": .array(
                layers.map { encoding, layer in
                    [
                        "encoding": JSONValue(encoding),
                        "frames": JSONValue(layer.frames),
                        "keyFrames": JSONValue(layer.keyFrames),
                        "width": JSONValue(layer.size?.width),
                        "height": JSONValue(layer.size?.height),
                    ]
                }
            ),
        ]
    }
}
