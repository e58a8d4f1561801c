/// How the camera was held (3GPP TS 26.114 section 7.4.5).
public struct VideoOrientation: HeaderExtensionValue {
    /// How far the receiver turns the picture clockwise before showing it.
    public enum Rotation: UInt8, Sendable, Hashable, CaseIterable {
        case none
        case degrees90
        case degrees180
        case degrees270
    }

    public static let kind = HeaderExtensionKind.videoOrientation
    /// How the picture is to be turned.
    public var rotation: Rotation
    /// Whether the picture is to be mirrored, left to right.
    public var isFlipped: Bool
    /// Whether the camera on the back took it.
    public var isBackCamera: Bool

    /// An orientation.
    public init(rotation: Rotation, isFlipped: Bool = false, isBackCamera: Bool = false) {
        self.rotation = rotation
        self.isFlipped = isFlipped
        self.isBackCamera = isBackCamera
    }

    /// Reads an orientation; `nil` without a byte.
    public init?(_ bytes: RawSpan) {
        guard let byte: UInt8 = bytes.networkOrder(at: 0), let rotation = Rotation(rawValue: byte & 3)
        else { return nil }
        self.rotation = rotation
        self.isFlipped = byte & 4 != 0
        self.isBackCamera = byte & 8 != 0
    }

    public var byteCount: Int { 1 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = self.rotation.rawValue | (self.isFlipped ? 4 : 0) | (self.isBackCamera ? 8 : 0)
    }
}
