/// A fragment of a description (RFC 8840 section 9, `application/trickle-ice-sdpfrag`): candidates on their way.
///
/// It carries ICE attributes and media sections with their identification, candidates and `a=end-of-candidates`; WHIP
/// (RFC 9725 section 4.3) sends it with PATCH.
public struct SDPFragment: Sendable, Hashable {
    var body = SectionBody()
    private var layout = DescriptionReader.Layout()
    /// The media sections; each says with ``SDPMedia/mid`` which of the description's it belongs to.
    public var media: [SDPMedia] = []

    /// An empty fragment.
    public init() {}

    /// Parses a fragment, with the tolerance and limits of ``SDPSession/init(parsing:)``.
    public init(parsing text: String) throws(SDPError) {
        let sections = try DescriptionReader.read(text) { (type, _, line, _) throws(SDPError) in
            switch type {
            case UInt8(ascii: "v"), UInt8(ascii: "o"), UInt8(ascii: "s"), UInt8(ascii: "t"):
                let letter = Character(Unicode.Scalar(type))
                throw SDPError(line: line, reason: "a \(letter)= line: a whole description is no fragment")
            default:
                break
            }
        }
        guard !sections.head.attributes.isEmpty || !sections.media.isEmpty else {
            throw SDPError("the fragment is empty")
        }
        self.body = sections.head
        self.media = sections.media
        self.layout = sections.layout
    }

    /// The attributes before the first media section.
    public var attributes: SDPAttributes {
        get { self.body.attributes }
        _modify { yield &self.body.attributes }
    }

    /// The `a=group` attributes (RFC 5888).
    public var groups: [SDPGroup] {
        get { self.attributes.values("group") }
        set { self.attributes.setValues("group", newValue) }
    }

    /// Whether the sender is an ICE lite agent (RFC 8839 section 5.3).
    public var iceLite: Bool {
        get { self.attributes.contains("ice-lite") }
        set { self.attributes.setFlag("ice-lite", newValue) }
    }

    /// The ICE user fragment of a media section, its own or the fragment's; `nil` too for an index out of range.
    public func iceUfrag(of index: Int) -> String? {
        (self.media.indices.contains(index) ? self.media[index].iceUfrag : nil) ?? self.iceUfrag
    }

    /// The ICE password of a media section, its own or the fragment's.
    public func icePwd(of index: Int) -> String? {
        (self.media.indices.contains(index) ? self.media[index].icePwd : nil) ?? self.icePwd
    }
}

extension SDPFragment: SDPSection {}

extension SDPFragment: CustomStringConvertible {
    /// The fragment as text: the bytes it was parsed from where nothing was changed.
    public var description: String {
        var writer = DescriptionWriter(layout: self.layout)
        writer.write(self.body)
        for section in self.media { writer.write(section) }
        return writer.finish()
    }
}
