import JSONLines
import RTCBase
import RTCCore
import WebRTC

// MARK: - Configuration

extension Bridge {
    func configuration(_ json: JSONValue) -> RTCConfiguration {
        var configuration = RTCConfiguration()
        configuration.iceServers = (json["iceServers"]?.array ?? []).map(\.iceServer)
        if let policy = json["iceTransportPolicy"]?.string.flatMap(RTCIceTransportPolicy.init(rawValue:)) {
            configuration.iceTransportPolicy = policy
        }
        if let policy = json["bundlePolicy"]?.string.flatMap(RTCBundlePolicy.init(rawValue:)) {
            configuration.bundlePolicy = policy
        }
        if let size = json["iceCandidatePoolSize"]?.int { configuration.iceCandidatePoolSize = UInt8(clamping: size) }
        configuration.certificates = (json["certificates"]?.array ?? []).compactMap { certificate in
            certificate.reference.flatMap { self.certificates[$0] }
        }
        return configuration
    }

    func json(_ configuration: RTCConfiguration) -> JSONValue {
        [
            "iceServers": .array(configuration.iceServers.map { JSONValue($0) }),
            "iceTransportPolicy": .string(configuration.iceTransportPolicy.rawValue),
            "bundlePolicy": .string(configuration.bundlePolicy.rawValue),
            "rtcpMuxPolicy": .string(configuration.rtcpMuxPolicy.rawValue),
            "iceCandidatePoolSize": JSONValue(configuration.iceCandidatePoolSize),
            "certificates": .array(configuration.certificates.compactMap { self.reference(to: $0) }),
        ]
    }
}

// MARK: - Certificates

extension Bridge {
    /// A static method.
    func callStatic(_ request: JSONValue) async throws -> JSONValue {
        guard request["method"]?.string == "generateCertificate" else {
            throw Failure.notImplemented("\(request["type"]?.string ?? "").\(request["method"]?.string ?? "")")
        }
        let options = request["args"]?[0] ?? nil
        let algorithm = try Self.algorithm(options)
        let validity = options["expires"]?.double.map { Duration.milliseconds(min($0, 1e12)) }
        // Making an RSA key takes long: not on the event loop.
        let certificate = try await Task.detached {
            if let validity { return try RTCCertificate.generate(algorithm, validity: validity) }
            return try RTCCertificate.generate(algorithm)
        }.value
        let id = self.makeID("certificate")
        self.certificates[id] = certificate
        self.image.set("expires", JSONValue(Int(certificate.expires * 1000)), of: id)
        return .reference(id, "RTCCertificate")
    }

    /// The algorithm that a WebCrypto `AlgorithmIdentifier` names.
    private static func algorithm(_ json: JSONValue) throws -> RTCCertificate.Algorithm {
        let name = json.string ?? json["name"]?.string ?? ""
        let hash = json["hash"]?.string ?? json["hash"]?["name"]?.string
        switch name.uppercased() {
        case "ECDSA" where json["namedCurve"]?.string == "P-256":
            return .ecdsaP256
        case "RSASSA-PKCS1-V1_5" where hash?.uppercased() == "SHA-256" && json["publicExponent"]?.binary == [1, 0, 1]:
            return .rsa(modulusLength: json["modulusLength"]?.int ?? 0)
        default:
            throw Failure("NotSupportedError", "no certificate can be made with \(name)")
        }
    }

    private func reference(to certificate: RTCCertificate) -> JSONValue? {
        let fingerprints = certificate.fingerprints
        let id = self.certificates.first { $0.value.fingerprints == fingerprints }?.key
        return id.map { .reference($0, "RTCCertificate") }
    }

    static func fingerprints(of certificate: RTCCertificate) -> JSONValue {
        .array(
            certificate.fingerprints.map { ["algorithm": .string($0.algorithm), "value": .string($0.value)] }
        )
    }
}
