/// Why something cannot be done, in one line for people.
struct EchoFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
