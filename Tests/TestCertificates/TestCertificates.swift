/// Certificates for tests with TLS, in PEM, valid until 2120. Their keys protect nothing.
package enum TestCertificates {
    /// A certification authority.
    package static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBaDCCAQ6gAwIBAgIUAoPWDF5LPYljuWKVjPWXxUXOzWcwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
        MDAxMDEwMDAwMDBaMBkxFzAVBgNVBAMMDnRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAENMBDsZD88tHYTv4USWWTgJRrErQzHtM4POwjkN1m
        VNsbb5JkYZIQyB9H5LKJogXQ0eVx94n6jXN2tJ3kPctsjKMyMDAwDwYDVR0TAQH/
        BAUwAwEB/zAdBgNVHQ4EFgQUztcdhwNarUsSunne0d4lbyG3D8QwCgYIKoZIzj0E
        AwIDSAAwRQIhAMhbWhZlYTJdEKjvxuSlRtV6cXMx4kTAUyTB1s3gIu5+AiBlTCSz
        USnzv5XYKWem12egC1QFLWts2e8ZGpKiAYjMFQ==
        -----END CERTIFICATE-----

        """

    /// Another, which has certified nothing here.
    package static let otherAuthority = """
        -----BEGIN CERTIFICATE-----
        MIIBdDCCARqgAwIBAgIUdwGL2qCxZ/6KRSyRRS6DmcCTxSAwCgYIKoZIzj0EAwIw
        HzEdMBsGA1UEAwwUb3RoZXIgdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAw
        WhgPMjEyMDAxMDEwMDAwMDBaMB8xHTAbBgNVBAMMFG90aGVyIHRlc3QgYXV0aG9y
        aXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVzZCrHsL4vw6TbfyldfuwhFO
        Nr95Lq5nL90AaJbBLU2Yj3fwzXNd6lXqRv3tY119+DPdfjb8qMJYsPG3T+Z/0aMy
        MDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUauSXSNtz/5eFZo9JHpVjcUgs
        VhYwCgYIKoZIzj0EAwIDSAAwRQIgXm/t/UWUOZnCGaIGEV1nluaCB9fwAZtTotjm
        kbv72zECIQCMVJvYGUwt5/uVyIq6tmkvFxolQhQk+w8mqJrAeU9VXg==
        -----END CERTIFICATE-----

        """

    /// What ``authority`` certified for 127.0.0.1 and localhost.
    package static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBZjCCAQygAwIBAgIUWo3sZ/rG4q5pYKTwfgYVrsdhRUcwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
        MDAxMDEwMDAwMDBaMBYxFDASBgNVBAMMC3Rlc3Qgc2VydmVyMFkwEwYHKoZIzj0C
        AQYIKoZIzj0DAQcDQgAE4+QbU0v2MBlxCAaSX64RAjjXvnk5FVxl4DFRvhPSY8le
        9tk6pRXnuVP7fqukR3GH5dDQ0pt6SvPQpFG6cUs2HaMzMDEwGgYDVR0RBBMwEYIJ
        bG9jYWxob3N0hwR/AAABMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMC
        A0gAMEUCIGZNPjRgoeHIYvA08HhY4qtcv7o+Db0lGaNkSPlyHmSnAiEAsj5QuQne
        ylsy+rnVrIiz3RuRa4jBQT2ifkCchUu9uLs=
        -----END CERTIFICATE-----

        """

    /// What ``authority`` certified for another host, for the same key.
    package static let serverElsewhere = """
        -----BEGIN CERTIFICATE-----
        MIIBaTCCAQ6gAwIBAgIUTSQc/auOqvQjcpFoeXwzC9vs1MowCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
        MDAxMDEwMDAwMDBaMBYxFDASBgNVBAMMC3Rlc3Qgc2VydmVyMFkwEwYHKoZIzj0C
        AQYIKoZIzj0DAQcDQgAE4+QbU0v2MBlxCAaSX64RAjjXvnk5FVxl4DFRvhPSY8le
        9tk6pRXnuVP7fqukR3GH5dDQ0pt6SvPQpFG6cUs2HaM1MDMwHAYDVR0RBBUwE4IR
        ZWxzZXdoZXJlLmV4YW1wbGUwEwYDVR0lBAwwCgYIKwYBBQUHAwEwCgYIKoZIzj0E
        AwIDSQAwRgIhAMMiuZtuOYTs912Sed/mHChdi5A4KuFSCXBgaDn68CJgAiEAtR5i
        GzCuB+XIP+ImhjBcdYIweqUP6yZdcuQDRTSBfmQ=
        -----END CERTIFICATE-----

        """

    /// Issued by itself, for 127.0.0.1 and no name.
    package static let addressOnly = """
        -----BEGIN CERTIFICATE-----
        MIIBcjCCARigAwIBAgIRAPN1CB4xbFB8E6U63oKmPaQwCgYIKoZIzj0EAwIwFzEV
        MBMGA1UEAwwMdGVzdCBhZGRyZXNzMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
        MDAwMDAwWjAXMRUwEwYDVQQDDAx0ZXN0IGFkZHJlc3MwWTATBgcqhkjOPQIBBggq
        hkjOPQMBBwNCAATj5BtTS/YwGXEIBpJfrhECONe+eTkVXGXgMVG+E9JjyV722Tql
        Fee5U/t+q6RHcYfl0NDSm3pK89CkUbpxSzYdo0MwQTAPBgNVHRMBAf8EBTADAQH/
        MA8GA1UdEQQIMAaHBH8AAAEwHQYDVR0OBBYEFEcDtLb9p5NljYLyLzqolZsU8Aok
        MAoGCCqGSM49BAMCA0gAMEUCICuDVhxUjdDrqPfNWqsiOzaYffG7g/nPCRsGKX99
        3/UDAiEAgYUv/ExgtUTFvc8LkJgWQ/BI32xZvnQBwBbRE/o19uM=
        -----END CERTIFICATE-----

        """

    /// Issued by itself, for nothing: localhost stands in its subject alone, where names no longer belong (RFC 9525 section 2).
    package static let subjectOnly = """
        -----BEGIN CERTIFICATE-----
        MIIBWjCCAQCgAwIBAgIQaLgf5xJS6pkXiWHqoHZkfjAKBggqhkjOPQQDAjAUMRIw
        EAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAw
        MDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABOPkG1NL9jAZcQgGkl+uEQI41755ORVcZeAxUb4T0mPJXvbZOqUV57lT+36r
        pEdxh+XQ0NKbekrz0KRRunFLNh2jMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0O
        BBYEFEcDtLb9p5NljYLyLzqolZsU8AokMAoGCCqGSM49BAMCA0gAMEUCIQCNMfFa
        T0bOSgc/sgBepSWTNceZFO3f83E/5uXX62EemwIgSR7FRSGKHw3Kn8c5WivBB3Qo
        hBJWxgTzYvdxhQKC9Wg=
        -----END CERTIFICATE-----

        """

    /// The key of all servers here.
    package static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCtfHmLuwrlChFWs1
        vUOaesGplYQSaHwmb+YmC5Wf4uWhRANCAATj5BtTS/YwGXEIBpJfrhECONe+eTkV
        XGXgMVG+E9JjyV722TqlFee5U/t+q6RHcYfl0NDSm3pK89CkUbpxSzYd
        -----END PRIVATE KEY-----

        """
}
