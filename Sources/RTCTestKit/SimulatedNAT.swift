public import RTCBase

/// A network address translator or firewall in memory (RFC 4787's terms), in front of one host.
public struct SimulatedNAT: Sendable {
    /// What a mapping, or the right to send inwards, depends on (RFC 4787 sections 4.1 and 5).
    public enum Dependence: Sendable, Hashable {
        /// Nothing: one for all destinations.
        case endpointIndependent
        /// The other side's IP address.
        case address
        /// The other side's IP address and port.
        case addressAndPort
    }

    /// How a translator behaves.
    public struct Behavior: Sendable, Hashable {
        /// What a mapping depends on; `nil` for a firewall, which translates nothing.
        public var mapping: Dependence?
        /// Who may send inwards over a mapping.
        public var filtering: Dependence
        /// Whether hosts behind it reach each other by their outer addresses (RFC 4787 section 6).
        public var hairpins = true
        /// Whether UDP passes at all.
        public var passesUDP = true

        /// A behaviour.
        public init(mapping: Dependence?, filtering: Dependence, hairpins: Bool = true, passesUDP: Bool = true) {
            self.mapping = mapping
            self.filtering = filtering
            self.hairpins = hairpins
            self.passesUDP = passesUDP
        }

        /// Nothing in between: a public address.
        public static let open = Behavior(mapping: nil, filtering: .endpointIndependent)
        /// A "full cone".
        public static let endpointIndependent = Behavior(mapping: .endpointIndependent, filtering: .endpointIndependent)
        /// A "restricted cone".
        public static let addressRestricted = Behavior(mapping: .endpointIndependent, filtering: .address)
        /// A "port-restricted cone".
        public static let portRestricted = Behavior(mapping: .endpointIndependent, filtering: .addressAndPort)
        /// A "symmetric" one.
        public static let symmetric = Behavior(mapping: .addressAndPort, filtering: .addressAndPort)
        /// A public address behind a firewall that lets answers in.
        public static let firewall = Behavior(mapping: nil, filtering: .addressAndPort)
        /// A translator that lets TCP out and no UDP.
        public static let withoutUDP = Behavior(mapping: .addressAndPort, filtering: .addressAndPort, passesUDP: false)
    }

    private struct Mapping: Hashable {
        var inner: TransportAddress
        var outer: TransportAddress?
    }

    /// How it behaves.
    public let behavior: Behavior
    /// The outer address; its port means nothing.
    public let outside: TransportAddress
    private var mappings: [Mapping: TransportAddress] = [:]
    private var owners: [TransportAddress: TransportAddress] = [:]
    /// Whom a mapping was used to send to.
    private var opened: [TransportAddress: Set<TransportAddress>] = [:]
    private var nextPort: UInt16

    /// A translator whose ports follow from `seed`.
    public init(_ behavior: Behavior, outside: TransportAddress, seed: UInt64) {
        self.behavior = behavior
        self.outside = outside
        self.nextPort = 20_000 + UInt16(truncatingIfNeeded: seed % 20_000)
    }

    /// Lets a datagram out.
    ///
    /// - Returns: Its source as the world sees it; `nil` if it is dropped.
    public mutating func outbound(
        from inner: TransportAddress,
        to destination: TransportAddress
    ) -> TransportAddress? {
        guard self.behavior.passesUDP || destination.transport == .tcp else { return nil }
        guard let dependence = self.behavior.mapping else {
            self.opened[inner, default: []].insert(destination)
            return inner
        }
        let key = Mapping(inner: inner, outer: Self.part(of: destination, dependence))
        let outer = self.mappings[key] ?? self.makePort(over: inner.transport)
        self.mappings[key] = outer
        self.owners[outer] = inner
        self.opened[outer, default: []].insert(destination)
        return outer
    }

    /// Lets a datagram in.
    ///
    /// - Returns: The host's address that it is for; `nil` if it is dropped.
    public func inbound(from source: TransportAddress, to outer: TransportAddress) -> TransportAddress? {
        guard self.behavior.passesUDP || outer.transport == .tcp else { return nil }
        let inner = self.behavior.mapping == nil ? outer : self.owners[outer]
        guard let inner else { return nil }
        if self.behavior.filtering == .endpointIndependent { return inner }
        let wanted = Self.part(of: source, self.behavior.filtering)
        let isOpen = self.opened[outer]?.contains { Self.part(of: $0, self.behavior.filtering) == wanted } == true
        return isOpen ? inner : nil
    }

    private static func part(of address: TransportAddress, _ dependence: Dependence) -> TransportAddress? {
        switch dependence {
        case .endpointIndependent: return nil
        case .address: return address.withPort(0)
        case .addressAndPort: return address
        }
    }

    private mutating func makePort(over transport: TransportAddress.Transport) -> TransportAddress {
        // Far from the one before, as translators that mean to be hard to guess have it.
        self.nextPort = 20_000 + (self.nextPort &* 7 &+ 977) % 20_000
        while self.owners[self.outside.withPort(self.nextPort).over(transport)] != nil { self.nextPort += 1 }
        return self.outside.withPort(self.nextPort).over(transport)
    }
}
