/// Puts lines together to a text.
struct DescriptionWriter {
    private var bytes: [UInt8] = []
    private let layout: DescriptionReader.Layout
    private let lineEnd: [UInt8]

    init(layout: DescriptionReader.Layout) {
        self.layout = layout
        self.lineEnd = Array(layout.lineEnding.rawValue.utf8)
        self.bytes.reserveCapacity(1024)
    }

    mutating func write(_ body: SectionBody) {
        body.visit { entry in
            switch entry {
            case .line(let line):
                self.bytes.append(contentsOf: String(line.type).utf8)
                self.bytes.append(UInt8(ascii: "="))
                self.writeText(line.value)
            case .attribute(let attribute):
                self.bytes.append(UInt8(ascii: "a"))
                self.bytes.append(UInt8(ascii: "="))
                self.writeText(attribute.name)
                if let value = attribute.value {
                    self.bytes.append(UInt8(ascii: ":"))
                    self.writeText(value)
                }
            }
            self.bytes.append(contentsOf: self.lineEnd)
        }
    }

    mutating func write(_ media: SDPMedia) {
        self.bytes.append(UInt8(ascii: "m"))
        self.bytes.append(UInt8(ascii: "="))
        self.writeText(media.mediaLine)
        self.bytes.append(contentsOf: self.lineEnd)
        self.write(media.body)
    }

    /// The text, with the line ends that the layout wants after its last line.
    consuming func finish() -> String {
        if self.layout.finalLineEnds == 0, self.bytes.count >= self.lineEnd.count {
            self.bytes.removeLast(self.lineEnd.count)
        }
        for _ in 0..<max(self.layout.finalLineEnds - 1, 0) {
            self.bytes.append(contentsOf: self.lineEnd)
        }
        return String(decoding: self.bytes, as: UTF8.self)
    }

    /// A value must not begin a line of its own, so what would end the line becomes a space.
    private mutating func writeText(_ text: String) {
        let start = self.bytes.count
        self.bytes.append(contentsOf: text.utf8)
        for index in start..<self.bytes.count
        where self.bytes[index] == 0x0A || self.bytes[index] == 0x0D || self.bytes[index] == 0 {
            self.bytes[index] = UInt8(ascii: " ")
        }
    }
}
