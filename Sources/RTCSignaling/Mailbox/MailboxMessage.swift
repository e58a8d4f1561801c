/// What a client and a mailbox server say to each other, one text message each: a JSON array of strings.
public enum MailboxMessage: Sendable, Hashable {
    // MARK: From clients

    /// Give me a nameplate.
    case allocate
    /// I am the inviter of this nameplate; my connection broke.
    case reopen(nameplate: String, token: String)
    /// I come to this nameplate.
    case claim(nameplate: String)
    /// The joiner of that number had the right code.
    case confirmed(joiner: UInt64)
    /// The joiner of that number had a wrong code.
    case failed(joiner: UInt64)

    // MARK: From both

    /// Pass this on to the other side, or: this is from the other side. The inviter says which joiner it is for, so that none gets what
    /// was meant for the one before; from a joiner and from the server the number is nil.
    case relay(String, joiner: UInt64?)

    // MARK: From servers

    /// The nameplate is yours; the token is for ``reopen(nameplate:token:)``.
    case allocated(nameplate: String, token: String)
    /// You are at the nameplate, and the inviter is told.
    case claimed
    /// Somebody came to your nameplate; the numbers of those who come to it rise by one from 1.
    case joined(joiner: UInt64)
    /// The other side has gone.
    case left
    /// Too many came with wrong codes: nobody can come any more.
    case locked
    /// It is over.
    case error(MailboxRefusal, String)

    /// Reads a message; nil if it is none.
    public init?(_ text: String) {
        guard let parts = JSONStrings.decode(text.utf8), let verb = parts.first else { return nil }
        switch (verb, parts.count) {
        case ("allocate", 1): self = .allocate
        case ("reopen", 3): self = .reopen(nameplate: parts[1], token: parts[2])
        case ("claim", 2): self = .claim(nameplate: parts[1])
        case ("confirmed", 2), ("failed", 2), ("joined", 2), ("relay", 3):
            // The inviter's and the server's words on a joiner.
            guard let joiner = UInt64(parts[parts.count - 1]) else { return nil }
            switch verb {
            case "confirmed": self = .confirmed(joiner: joiner)
            case "failed": self = .failed(joiner: joiner)
            case "joined": self = .joined(joiner: joiner)
            default: self = .relay(parts[1], joiner: joiner)
            }
        case ("relay", 2): self = .relay(parts[1], joiner: nil)
        case ("allocated", 3): self = .allocated(nameplate: parts[1], token: parts[2])
        case ("claimed", 1): self = .claimed
        case ("left", 1): self = .left
        case ("locked", 1): self = .locked
        case ("error", 3): self = .error(MailboxRefusal(rawValue: parts[1]) ?? .malformed, parts[2])
        default: return nil
        }
    }

    /// The message as it is sent.
    public var text: String {
        switch self {
        case .allocate: JSONStrings.encode(["allocate"])
        case .reopen(let nameplate, let token): JSONStrings.encode(["reopen", nameplate, token])
        case .claim(let nameplate): JSONStrings.encode(["claim", nameplate])
        case .confirmed(let joiner): JSONStrings.encode(["confirmed", String(joiner)])
        case .failed(let joiner): JSONStrings.encode(["failed", String(joiner)])
        case .relay(let body, nil): JSONStrings.encode(["relay", body])
        case .relay(let body, let joiner?): JSONStrings.encode(["relay", body, String(joiner)])
        case .allocated(let nameplate, let token): JSONStrings.encode(["allocated", nameplate, token])
        case .claimed: JSONStrings.encode(["claimed"])
        case .joined(let joiner): JSONStrings.encode(["joined", String(joiner)])
        case .left: JSONStrings.encode(["left"])
        case .locked: JSONStrings.encode(["locked"])
        case .error(let refusal, let words): JSONStrings.encode(["error", refusal.rawValue, words])
        }
    }
}

/// Why a mailbox server refuses.
public enum MailboxRefusal: String, Sendable, Hashable {
    /// There is no such nameplate.
    case unknown
    /// Somebody is there already.
    case busy
    /// Too many came with wrong codes.
    case locked
    /// The inviter's connection is broken; it may come back.
    case absent
    /// The server has no nameplate left.
    case full
    /// The nameplate's time is over.
    case expired
    /// Too much was sent.
    case excess
    /// That was no message, or none that is expected here.
    case malformed
}
