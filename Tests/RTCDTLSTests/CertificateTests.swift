import RTCDTLS
import Testing

@Suite("DTLS certificates")
struct CertificateTests {
    @Test("a certificate survives PEM", arguments: [DTLSCertificate.KeyKind.ecdsaP256, .rsa(bits: 2048)])
    func roundTrip(kind: DTLSCertificate.KeyKind) throws {
        let original = kind == .ecdsaP256 ? Samples.ecdsa : Samples.rsa
        let copy = try DTLSCertificate(pem: original.pem)
        #expect(copy.derBytes == original.derBytes)
        #expect(copy.keyKind == kind)
        #expect(copy.expires == original.expires)
        #expect(copy.fingerprints == original.fingerprints)
        #expect(copy.pem == original.pem)
        #expect(original.pem.contains("-----BEGIN PRIVATE KEY-----"))
        #expect(!original.certificatePEM.contains("PRIVATE"))
        let keyFirst = try DTLSCertificate(pem: original.privateKeyPEM + original.certificatePEM)
        #expect(keyFirst.derBytes == original.derBytes)
        let wire = try Wire(client: copy, serverKnows: [original.fingerprint()])
        wire.connect()
        #expect(wire.areConnected)
    }

    @Test("validity counts from the given time")
    func expiry() throws {
        let certificate = try DTLSCertificate.generate(validity: .seconds(3600), now: 1_700_000_000)
        #expect(certificate.expires == 1_700_003_600)
        #expect(!certificate.isExpired(at: 1_700_003_599))
        #expect(certificate.isExpired(at: 1_700_003_600))
        #expect(certificate.isExpired)
        #expect(!Samples.ecdsa.isExpired)
        #expect(certificate.signatureAlgorithm == "ecdsa-with-SHA256")
        #expect(Samples.rsa.signatureAlgorithm == "sha256WithRSAEncryption")
    }

    @Test("times beyond 2050 are kept too")
    func farFuture() throws {
        #expect(try DTLSCertificate.generate(validity: .seconds(1), now: 4_000_000_000).expires == 4_000_000_001)
    }

    @Test("every certificate is another one")
    func unique() {
        #expect(Samples.ecdsa.fingerprint() != Samples.otherECDSA.fingerprint())
        #expect(Samples.ecdsa.derBytes != Samples.otherECDSA.derBytes)
        #expect(Samples.ecdsa.fingerprints.map(\.algorithm) == [.sha256, .sha384, .sha512])
        #expect(Samples.ecdsa.base64.count == (Samples.ecdsa.derBytes.count + 2) / 3 * 4)
    }

    @Test("arguments out of range are refused")
    func ranges() {
        let refusals: [() throws -> DTLSCertificate] = [
            { try .generate(.rsa(bits: 1024)) },
            { try .generate(.rsa(bits: 16_384)) },
            { try .generate(commonName: "") },
            { try .generate(commonName: String(repeating: "x", count: 65)) },
            { try .generate(validity: .seconds(-1)) },
            { try .generate(validity: .seconds(366 * 86_400)) },
            { try .generate(now: -1) },
            { try .generate(now: .max) },
        ]
        for refusal in refusals {
            #expect { try refusal() } throws: { ($0 as? DTLSError)?.code == .invalidCertificate }
        }
    }

    @Test("broken PEM is refused")
    func brokenPEM() {
        let whole = Samples.ecdsa.pem
        var samples = [
            "", "hello", Samples.ecdsa.certificatePEM, Samples.ecdsa.privateKeyPEM,
            Samples.ecdsa.certificatePEM + Samples.otherECDSA.privateKeyPEM,
            Samples.ecdsa.certificatePEM + Samples.rsa.privateKeyPEM,
            String(whole.dropLast(60)), whole.replacing("A", with: "*"),
            String(repeating: "x", count: 2 << 20), "\u{0}" + String(repeating: "\u{0}", count: 100),
        ]
        samples.append(Self.p384)
        samples.append(Self.encrypted)
        for sample in samples {
            #expect { try DTLSCertificate(pem: sample) } throws: { ($0 as? DTLSError)?.code == .invalidCertificate }
        }
    }

    @Test("configurations out of range are refused")
    func configurations() {
        let changes: [(inout DTLSConfiguration) -> Void] = [
            { $0.mtu = 255 }, { $0.mtu = 20_000 }, { $0.maximumRecordSize = 511 }, { $0.maximumRecordSize = 16_385 },
            { $0.handshakeTimeout = .zero }, { $0.handshakeTimeout = .seconds(61) },
            { $0.initialRetransmissionTimeout = .milliseconds(9) }, { $0.initialRetransmissionTimeout = .seconds(2) },
            { $0.srtpProfiles = [.aeadAES128GCM, .aeadAES128GCM] },
        ]
        for change in changes {
            var configuration = DTLSConfiguration()
            change(&configuration)
            #expect {
                try DTLSContext(certificate: Samples.ecdsa, configuration: configuration)
            } throws: {
                ($0 as? DTLSError)?.code == .invalidConfiguration
            }
        }
    }

    /// A key on another curve.
    private static let p384 = """
        -----BEGIN PRIVATE KEY-----
        MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCghXIAZGDaGYj3SxBx
        TEBiM1oxElP0Q+IS0uvxSFR/CsKK9S481tHU55FIT+kIH+OhZANiAASoNEr52GCp
        MBSwQH7m0yclQwoA3w6s4zVp3dIhnStbMBHcX78XaVdpL4UqtUxFrZWzFOOqsi2t
        NDvSSFAvDSmK07nbf3mZFj56q6I8mbXrmBhRoTCjZSyskCYL7pHRmeo=
        -----END PRIVATE KEY-----
        -----BEGIN CERTIFICATE-----
        MIIBqjCCATCgAwIBAgIURJpbNb4DcTR7xFuTyfUkSwddClYwCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBeDAeFw0yNjExMjIyMjE2MjBaFw0zNjExMTkyMjE2MjBaMAwx
        CjAIBgNVBAMMAXgwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAASoNEr52GCpMBSwQH7m
        0yclQwoA3w6s4zVp3dIhnStbMBHcX78XaVdpL4UqtUxFrZWzFOOqsi2tNDvSSFAv
        DSmK07nbf3mZFj56q6I8mbXrmBhRoTCjZSyskCYL7pHRmeqjUzBRMB0GA1UdDgQW
        BBREL/oxxCV0jkg+jS4ODy9lLBv4TzAfBgNVHSMEGDAWgBREL/oxxCV0jkg+jS4O
        Dy9lLBv4TzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA2gAMGUCMAzJoaGb
        ohUTEwFh1vFqvvtc66kw+2sMJX/H/yekMX5732RUcQOjC0iC/2dI5/hnfQIxAL7j
        Brmtlc0cYF6ZsuJ9wmMricmq/o0MwzMpf1S2CS5DcEyxphxw8uEGL93FjMZSxg==
        -----END CERTIFICATE-----
        """

    /// A key behind a password.
    private static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj/BbKcXa5aGgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHOLuziskwPsk3yRVtO7SxIEgZC9
        lyLkaclHv9127T3EeNGnR3Q9NPjYPCq+km/9d345ZY+DfCRfl1wdMX1jwTuBWya6
        pvG+hBoMyR+9fGpuCX8sW5G00Pu7+TV0j4skVxyY2liyZSMT3Bp0iaQyff/5S9+J
        UZWjtogqrM5OHpkEXkz++Z1EpRbnZO/wFaeMZtz588xRZCVmzLdqX1JYpgkO6LY=
        -----END ENCRYPTED PRIVATE KEY-----
        -----BEGIN CERTIFICATE-----
        MIIBbTCCAROgAwIBAgIUWkTofruHpOIV9yH8q6r9+2NWlrcwCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBeDAeFw0yNjExMjIyMjE2MjBaFw0zNjExMTkyMjE2MjBaMAwx
        CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASrh8+XflZ2/Vmf
        nNFCy2siVrrwJGBdmBDn6BBauwX/Q431BPrVkohYfSNHt/8Mhe42uIqoIXdm9bhq
        KxUD+1yvo1MwUTAdBgNVHQ4EFgQUgu8b4VeAEMrsjejtm21aLKywnP4wHwYDVR0j
        BBgwFoAUgu8b4VeAEMrsjejtm21aLKywnP4wDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNIADBFAiBhTqGvnZ8+lJMoDPNHsHYbtdBr92UjqQJ6JzRIyY9ziwIh
        ALG9PGSEvlixwPhn8Y2j/YsLN8JHAovHwtC/3okSSTBU
        -----END CERTIFICATE-----
        """
}
