/// What a client and a mailbox server say to each other, one text message each: a JSON array of strings.
public enum MailboxMessage: Sendable, Hashable {
    // MARK: From clients

    /// Give me a nameplate.
    case allocate
    /// I am the inviter of this nameplate; my connection broke.
    case reopen(nameplate: String, token: String)
    /// I come to this nameplate.
    case claim(nameplate: String)
    /// The joiner had the right code.
    case confirmed
    /// The joiner had a wrong code.
    case failed

    // MARK: From both

    /// Pass this on to the other side, or: this is from the other side.
    case relay(String)

    // MARK: From servers

    /// The nameplate is yours; the token is for ``reopen(nameplate:token:)``.
    case allocated(nameplate: String, token: String)
    /// You are at the nameplate, and the inviter is told.
    case claimed
    /// Somebody came to your nameplate.
    case joined
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
        case ("confirmed", 1): self = .confirmed
        case ("failed", 1): self = .failed
        case ("relay", 2): self = .relay(parts[1])
        case ("allocated", 3): self = .allocated(nameplate: parts[1], token: parts[2])
        case ("claimed", 1): self = .claimed
        case ("joined", 1): self = .joined
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
        case .confirmed: JSONStrings.encode(["confirmed"])
        case .failed: JSONStrings.encode(["failed"])
        case .relay(let body): JSONStrings.encode(["relay", body])
        case .allocated(let nameplate, let token): JSONStrings.encode(["allocated", nameplate, token])
        case .claimed: JSONStrings.encode(["claimed"])
        case .joined: JSONStrings.encode(["joined"])
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
