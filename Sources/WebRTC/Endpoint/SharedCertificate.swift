import NIOCore
import RTCBase
import RTCCore
import RTCDTLS
import Synchronization

/// A certificate with the DTLS context made from it, which connections share: making one costs as much as half a handshake.
struct SharedCertificate: Sendable {
    let certificate: RTCCertificate
    let context: DTLSContext

    init(_ certificate: RTCCertificate, configuration: DTLSConfiguration = DTLSConfiguration()) throws(RTCError) {
        do {
            self.certificate = certificate
            self.context = try DTLSContext(certificate: certificate.dtls, configuration: configuration)
        } catch {
            throw RTCError(.operation, "no DTLS context can be made: \(error)")
        }
    }

    private struct OfProcess {
        var shared: SharedCertificate
        var madeAt: NIODeadline
    }

    private static let process = Mutex<OfProcess?>(nil)
    private static let lifetime = TimeAmount.hours(24)

    /// The certificate of connections that were given none: one for the process, a new one each day (RFC 8827 section 6.5 has
    /// browsers make one for each origin; a server is one origin).
    static func ofProcess() throws(RTCError) -> SharedCertificate {
        let now = NIODeadline.now()
        if let known = Self.process.withLock({ $0 }), now - known.madeAt < Self.lifetime { return known.shared }
        let made = try SharedCertificate(try RTCCertificate.generate())
        return Self.process.withLock { state in
            if let known = state, now - known.madeAt < Self.lifetime { return known.shared }
            state = OfProcess(shared: made, madeAt: now)
            return made
        }
    }
}
