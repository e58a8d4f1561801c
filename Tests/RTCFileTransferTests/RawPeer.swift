import RTCFileTransfer
import RTCSignaling

/// A side of an exchange by hand: at the mailbox, and no further.
struct RawPeer {
    let channel: any SignalingChannel
    /// The number of the joiner that an inviter speaks to.
    private let joiner: UInt64?
    private var pairing: PairingSession

    init?(
        _ role: PairingSession.Role,
        code: PairingCode,
        over channel: any SignalingChannel,
        joiner: UInt64? = nil
    ) {
        guard let pairing = PairingSession(role, code: code) else { return nil }
        self.channel = channel
        self.joiner = joiner
        self.pairing = pairing
    }

    /// A message of the mailbox; nil if the channel is over.
    static func next(_ channel: any SignalingChannel) async throws -> MailboxMessage? {
        try await channel.receive().flatMap { MailboxMessage($0) }
    }

    /// Goes on until it is paired or its code is refused; nil if the channel ends before, or what comes is no pairing.
    mutating func pair() async throws -> Bool? {
        while true {
            while let output = self.pairing.poll() {
                switch output {
                case .transmit(let text):
                    try await self.channel.send(MailboxMessage.relay(text, joiner: self.joiner).text)
                case .paired: return true
                case .failed(let failure): return failure == .wrongCode ? false : nil
                case .message: break
                }
            }
            guard let message = try await Self.next(self.channel) else { return nil }
            if case .relay(let text, _) = message { self.pairing.receive(text) }
            switch message {
            case .error, .left, .locked: return nil
            default: break
            }
        }
    }
}
