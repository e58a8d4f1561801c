import ArgumentParser

/// Where to listen: a host, which may be empty, and a port.
package struct HostPort: ExpressibleByArgument {
    /// A name or an IP literal, without brackets; empty for every address.
    package var host: String
    /// The port; 0 leaves the choice to the system.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` and `:8080`.
    package init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    package var defaultValueDescription: String { self.text }

    /// The host as it stands in a URL, with the port.
    package var text: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }
}
