/// Cuts a text into lines and the lines into sections.
struct DescriptionReader {
    /// How a text was laid out beyond its lines.
    struct Layout: Sendable, Hashable {
        var lineEnding: SDPLineEnding = .crlf
        /// How many line ends follow the last line; more than one are empty lines.
        var finalLineEnds = 1
    }

    struct Line {
        var number: Int
        var type: UInt8
        var value: Range<Int>
    }

    private let bytes: [UInt8]
    private var position = 0
    private var sawCRLF = false
    private var sawLF = false
    private(set) var lineCount = 0
    private(set) var layout = Layout()

    init(_ text: String) throws(SDPError) {
        guard text.utf8.count <= SDPLimits.maximumBytes else {
            throw SDPError("the description has more than \(SDPLimits.maximumBytes) bytes")
        }
        self.bytes = Array(text.utf8)
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: self.bytes[range], as: UTF8.self)
    }

    /// The next line, `nil` after the last.
    mutating func next() throws(SDPError) -> Line? {
        let start = self.position
        guard start < self.bytes.count else {
            self.settleLayout()
            return nil
        }
        let number = self.lineCount + 1
        guard number <= SDPLimits.maximumLines else {
            throw SDPError(line: number, reason: "the description has more than \(SDPLimits.maximumLines) lines")
        }
        let content = try self.readContent(number)
        self.lineCount = number
        guard !content.isEmpty else {
            try self.readEmptyLines()
            self.settleLayout()
            return nil
        }
        guard content.count >= 2, self.bytes[start + 1] == UInt8(ascii: "="), (0x61...0x7A).contains(self.bytes[start])
        else {
            let reason = "a line is a lower-case letter, '=' and a value, not \(Grammar.quoted(self.text(content)))"
            throw SDPError(line: number, reason: reason)
        }
        return Line(number: number, type: self.bytes[start], value: (start + 2)..<content.upperBound)
    }

    /// Reads up to the line's end and beyond it; gives what stands before the end.
    private mutating func readContent(_ number: Int) throws(SDPError) -> Range<Int> {
        let start = self.position
        var index = start
        while index < self.bytes.count {
            let byte = self.bytes[index]
            if byte == 0x0A {
                self.sawLF = true
                self.layout.finalLineEnds = 1
                self.position = index + 1
                return start..<index
            }
            if byte == 0x0D {
                guard index + 1 < self.bytes.count, self.bytes[index + 1] == 0x0A else {
                    throw SDPError(line: number, reason: "a carriage return without a line feed")
                }
                self.sawCRLF = true
                self.layout.finalLineEnds = 1
                self.position = index + 2
                return start..<index
            }
            guard byte != 0 else { throw SDPError(line: number, reason: "a NUL byte") }
            index += 1
        }
        self.layout.finalLineEnds = 0
        self.position = index
        return start..<index
    }

    /// Empty lines are tolerated at the end of the text only.
    private mutating func readEmptyLines() throws(SDPError) {
        let firstEmpty = self.lineCount
        var lineEnds = 2
        while self.position < self.bytes.count {
            let number = self.lineCount + 1
            guard number <= SDPLimits.maximumLines else {
                throw SDPError(line: number, reason: "the description has more than \(SDPLimits.maximumLines) lines")
            }
            guard try self.readContent(number).isEmpty else {
                throw SDPError(line: firstEmpty, reason: "an empty line before the end")
            }
            self.lineCount = number
            lineEnds += 1
        }
        self.layout.finalLineEnds = lineEnds
    }

    private mutating func settleLayout() {
        self.layout.lineEnding = self.sawLF && !self.sawCRLF ? .lf : .crlf
    }
}

// MARK: Sections

extension DescriptionReader {
    /// A text as sections: what stands before the first `m=` line, and the media sections.
    struct Sections {
        var head = SectionBody()
        var media: [SDPMedia] = []
        var lineCount = 0
        var layout = Layout()
    }

    /// Reads all lines; `check` sees each line before it takes its place, with the number of media sections so far. It
    /// is spared the values of attributes.
    static func read(
        _ text: String,
        check: (_ type: UInt8, _ value: String, _ line: Int, _ mediaCount: Int) throws(SDPError) -> Void
    ) throws(SDPError) -> Sections {
        var reader = try DescriptionReader(text)
        var sections = Sections()
        var current = SectionBody()
        var media: SDPMedia?
        while let line = try reader.next() {
            if line.type == UInt8(ascii: "a") {
                try check(line.type, "", line.number, sections.media.count + (media == nil ? 0 : 1))
                current.attributes.append(try reader.attribute(line))
                continue
            }
            let value = reader.text(line.value)
            try check(line.type, value, line.number, sections.media.count + (media == nil ? 0 : 1))
            guard line.type == UInt8(ascii: "m") else {
                try Self.checkShape(line.type, value, line.number)
                current.append(SDPLine(type: Character(Unicode.Scalar(line.type)), value: value))
                continue
            }
            sections.close(&media, &current)
            guard sections.media.count < SDPLimits.maximumMediaSections else {
                let reason = "the description has more than \(SDPLimits.maximumMediaSections) media sections"
                throw SDPError(line: line.number, reason: reason)
            }
            do throws(SDPError) {
                media = try SDPMedia(parsing: value)
            } catch {
                throw error.atLine(line.number)
            }
        }
        sections.close(&media, &current)
        sections.lineCount = reader.lineCount
        sections.layout = reader.layout
        return sections
    }

    private func attribute(_ line: Line) throws(SDPError) -> SDPAttribute {
        let colon = self.bytes[line.value].firstIndex(of: UInt8(ascii: ":"))
        let name = line.value.lowerBound..<(colon ?? line.value.upperBound)
        guard let first = self.bytes[name].first, first > 0x20 else {
            throw SDPError(line: line.number, reason: "an attribute without a name")
        }
        guard let colon else { return SDPAttribute(self.text(name)) }
        return SDPAttribute(self.text(name), self.text((colon + 1)..<line.value.upperBound))
    }

    /// What lines other than attributes must look like, wherever they stand.
    private static func checkShape(_ type: UInt8, _ value: String, _ line: Int) throws(SDPError) {
        do throws(SDPError) {
            switch type {
            case UInt8(ascii: "c"): _ = try SDPConnection(parsing: value)
            case UInt8(ascii: "b"):
                guard value.utf8.contains(UInt8(ascii: ":")) else {
                    throw SDPError("a bandwidth is <type>:<number>, not \(Grammar.quoted(value))")
                }
            default: break
            }
        } catch {
            throw error.atLine(line)
        }
    }
}

extension DescriptionReader.Sections {
    /// Puts the section that was being read in its place, and begins an empty one.
    fileprivate mutating func close(_ media: inout SDPMedia?, _ body: inout SectionBody) {
        body.attributes.trim()
        if var finished = media.take() {
            finished.body = body
            self.media.append(finished)
        } else {
            self.head = body
        }
        body = SectionBody()
    }
}
