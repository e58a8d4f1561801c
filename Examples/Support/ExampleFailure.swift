/// Why something cannot be done, in one line for people.
package struct ExampleFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
