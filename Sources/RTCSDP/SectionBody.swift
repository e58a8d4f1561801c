/// The lines of one section with their order: its attributes, and what else stands before or between them.
struct SectionBody: Sendable, Hashable {
    /// A line and how many of the section's attributes stand before it: nearly always none.
    private struct PlacedLine: Sendable, Hashable {
        var line: SDPLine
        var attributesBefore: Int
    }

    enum Entry {
        case line(SDPLine)
        case attribute(SDPAttribute)
    }

    var attributes = SDPAttributes()
    private var placedLines: [PlacedLine] = []

    /// The order of RFC 8866 section 5 in which new lines take their place.
    private static let order: [Character] = ["v", "o", "s", "i", "u", "e", "p", "c", "b", "t", "r", "z", "k"]

    var lines: [SDPLine] { self.placedLines.map { $0.line } }

    /// Adds a line as it was read, after everything so far.
    mutating func append(_ line: SDPLine) {
        self.placedLines.append(PlacedLine(line: line, attributesBefore: self.attributes.count))
    }

    func first(_ type: Character) -> String? {
        self.placedLines.first { $0.line.type == type }?.line.value
    }

    func all(_ type: Character) -> [String] {
        self.placedLines.filter { $0.line.type == type }.map { $0.line.value }
    }

    /// Gives the lines of a type these values: in the place of the first, or where RFC 8866 has that type.
    mutating func set(_ type: Character, _ values: [String]) {
        guard values != self.all(type) else { return }
        var place = self.placedLines.firstIndex { $0.line.type == type }
        self.placedLines.removeAll { $0.line.type == type }
        if place == nil, let rank = Self.order.firstIndex(of: type) {
            place = self.placedLines.firstIndex { other in
                Self.order.firstIndex(of: other.line.type).map { $0 > rank } ?? true
            }
        }
        let index = min(place ?? self.placedLines.count, self.placedLines.count)
        let attributesBefore = index < self.placedLines.count ? self.placedLines[index].attributesBefore : 0
        let lines = values.map {
            PlacedLine(line: SDPLine(type: type, value: $0), attributesBefore: attributesBefore)
        }
        self.placedLines.insert(contentsOf: lines, at: index)
    }

    /// Calls `body` with each line in the order of the text.
    func visit<Failure: Error>(_ body: (Entry) throws(Failure) -> Void) throws(Failure) {
        var next = 0
        for (index, attribute) in self.attributes.enumerated() {
            while next < self.placedLines.count, self.placedLines[next].attributesBefore <= index {
                try body(.line(self.placedLines[next].line))
                next += 1
            }
            try body(.attribute(attribute))
        }
        for placed in self.placedLines[next...] {
            try body(.line(placed.line))
        }
    }
}
