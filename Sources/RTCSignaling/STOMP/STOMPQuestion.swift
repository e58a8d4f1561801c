/// Names a connection of a ``STOMPBroker``.
public struct STOMPConnectionID: Sendable, Hashable {
    let number: UInt64
}

/// What the owner of a broker is asked before a client does something; ``STOMPBroker/answer(_:_:now:)`` goes on. Until then nothing
/// more is taken from the client.
public struct STOMPQuestion: Sendable, Hashable {
    /// What the client wants.
    public enum Kind: Sendable, Hashable {
        /// To connect, with what its `CONNECT` says.
        case connect(login: String?, passcode: String?, host: String?)
        /// To subscribe to a destination.
        case subscribe(destination: String)
        /// To send to a destination.
        case send(destination: String)
    }

    /// The client's connection; it waits for one answer at a time.
    public let connection: STOMPConnectionID
    /// Who the client is, once it is connected; nil for nobody in particular.
    public let user: String?
    /// What it wants.
    public let kind: Kind
}

extension STOMPQuestion.Kind: CustomStringConvertible, CustomDebugStringConvertible {
    /// Without the password.
    public var description: String {
        switch self {
        case .connect(let login, _, let host): "connect(login: \(login ?? "nil"), host: \(host ?? "nil"))"
        case .subscribe(let destination): "subscribe(\(destination))"
        case .send(let destination): "send(\(destination))"
        }
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

/// The owner's answer to a ``STOMPQuestion``.
public enum STOMPAnswer: Sendable, Hashable {
    /// The client may.
    ///
    /// - Parameter user: When it connects: its name, under which `/user/…` reaches it; nil for none. Otherwise without meaning.
    case allow(user: String? = nil)
    /// It may not: the reason goes into an `ERROR`, and the connection ends.
    case deny(reason: String)
}
