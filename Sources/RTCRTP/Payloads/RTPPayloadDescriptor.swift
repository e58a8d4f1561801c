/// What one packet says of its frame, read without putting the frame together.
public struct RTPPayloadDescriptor: Sendable, Hashable {
    /// Whether the packet is its frame's first. `nil` where the payload does not tell: then it is, if the packet before it
    /// ended another frame.
    public var beginsFrame: Bool?
    /// Whether the packet is its frame's last. Pictures: the marker bit. Sound: always.
    public var endsFrame: Bool
    /// Whether the packet shows that its frame is a key frame. Packets of a key frame after its first may not show it.
    /// Always `true` for sound.
    public var isKeyFrame: Bool
    /// The spatial layer, 0 the lowest. `nil` where the packet does not say.
    public var spatialID: UInt8?
    /// The temporal layer, 0 the lowest. `nil` where the packet does not say.
    public var temporalID: UInt8?
    /// The picture ID of VP8 and VP9.
    public var pictureID: UInt16?
    /// Whether the picture ID has 15 bits, and so begins anew after 32,767, rather than after 127.
    public var hasLongPictureID = false
    /// The index of the picture of the lowest temporal layer that this one builds on (`TL0PICIDX`).
    public var temporalBaseIndex: UInt8?
    /// Whether no other frame refers to this one, as far as the packet tells.
    public var isDiscardable = false
    /// Whether a receiver may begin to take in this temporal layer with this frame (VP8's Y, VP9's U).
    public var isSwitchingPoint = false

    /// A packet of which nothing but its borders is known.
    public init(beginsFrame: Bool?, endsFrame: Bool, isKeyFrame: Bool) {
        self.beginsFrame = beginsFrame
        self.endsFrame = endsFrame
        self.isKeyFrame = isKeyFrame
    }
}
