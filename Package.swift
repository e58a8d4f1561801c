// swift-tools-version:6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioConcurrencyHelpers: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "swift-webrtc",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .visionOS(.v2)],
    products: [
        .library(name: "WebRTC", targets: ["WebRTC"]),
        .library(name: "RTCCore", targets: ["RTCCore"]),
        .library(name: "RTCSDP", targets: ["RTCSDP"]),
        .library(name: "RTCSTUN", targets: ["RTCSTUN"]),
        .library(name: "RTCICE", targets: ["RTCICE"]),
        .library(name: "RTCTURN", targets: ["RTCTURN"]),
        .library(name: "TURNServer", targets: ["TURNServer"]),
        .library(name: "RTCDTLS", targets: ["RTCDTLS"]),
        .library(name: "RTCSCTP", targets: ["RTCSCTP"]),
        .library(name: "RTCSRTP", targets: ["RTCSRTP"]),
        .library(name: "RTCRTP", targets: ["RTCRTP"]),
        .library(name: "RTCMediaFiles", targets: ["RTCMediaFiles"]),
        .library(name: "RTCMedia", targets: ["RTCMedia"]),
        .library(name: "RTCCrypto", targets: ["RTCCrypto"]),
        .library(name: "RTCBase", targets: ["RTCBase"]),
        .library(name: "RTCTestKit", targets: ["RTCTestKit"]),
        .library(name: "RTCSignaling", targets: ["RTCSignaling"]),
        .library(name: "RTCSignalingServer", targets: ["RTCSignalingServer"]),
        .library(name: "RTCRooms", targets: ["RTCRooms"]),
        .library(name: "RTCCalls", targets: ["RTCCalls"]),
        .library(name: "RTCFileTransfer", targets: ["RTCFileTransfer"]),
        .library(name: "RTCSignalingClient", targets: ["RTCSignalingClient"]),
        .library(name: "RTCWHIP", targets: ["RTCWHIP"]),
        .executable(name: "echo", targets: ["echo"]),
        .executable(name: "media-send", targets: ["media-send"]),
        .executable(name: "media-record", targets: ["media-record"]),
        .executable(name: "signaling-server", targets: ["signaling-server"]),
        .executable(name: "signaling-client", targets: ["signaling-client"]),
        .executable(name: "whip-server", targets: ["whip-server"]),
        .executable(name: "mesh-peer", targets: ["mesh-peer"]),
        .executable(name: "datachannel-echo", targets: ["datachannel-echo"]),
        .executable(name: "turn-server", targets: ["turn-server"]),
        .executable(name: "file-transfer", targets: ["file-transfer"]),
        .executable(name: "rtc-bench", targets: ["rtc-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        // C libraries, one wall each.
        .systemLibrary(
            name: "CRTCOpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        // usrsctp.pc carries a flag SwiftPM refuses (-DINET), so its module map links the library itself.
        .systemLibrary(
            name: "CRTCUsrsctp",
            providers: [.apt(["libusrsctp-dev"]), .brew(["libusrsctp"])]
        ),
        .systemLibrary(
            name: "CRTCSRTP",
            pkgConfig: "libsrtp2",
            providers: [.apt(["libsrtp2-dev"]), .brew(["srtp"])]
        ),
        .systemLibrary(
            name: "CRTCZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        // The module map links libavcodec and libavutil too.
        .systemLibrary(
            name: "CRTCAVFormat",
            pkgConfig: "libavformat",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev"]), .brew(["ffmpeg"])]
        ),

        // Datagram sockets in batches: ours, because Swift's import of the C library lacks what Linux has.
        .target(name: "CRTCSockets"),
        .target(name: "RTCSockets", dependencies: ["RTCBase", "CRTCSockets"], swiftSettings: swiftSettings),

        // TLS of clients, over NIOSSL.
        .target(name: "RTCTLS", dependencies: ["RTCBase", nioCore, nioSSL], swiftSettings: swiftSettings),

        // Protocols, one target each; they never import each other sideways.
        .target(name: "RTCBase", dependencies: [nioCore], swiftSettings: swiftSettings),
        .target(name: "RTCCrypto", dependencies: ["RTCBase", "CRTCOpenSSL"], swiftSettings: swiftSettings),
        .target(name: "RTCSDP", dependencies: ["RTCBase"], swiftSettings: swiftSettings),
        .target(name: "RTCSTUN", dependencies: ["RTCBase", "RTCCrypto", nioCore], swiftSettings: swiftSettings),
        .target(name: "RTCICE", dependencies: ["RTCBase", "RTCSTUN", nioCore], swiftSettings: swiftSettings),
        .target(
            name: "RTCTURN",
            dependencies: ["RTCBase", "RTCSTUN", "RTCCrypto", nioCore],
            swiftSettings: swiftSettings
        ),
        .target(name: "RTCDTLS", dependencies: ["RTCBase", "CRTCOpenSSL", nioCore], swiftSettings: swiftSettings),
        .target(name: "RTCSCTP", dependencies: ["RTCBase", "CRTCUsrsctp", nioCore], swiftSettings: swiftSettings),
        .target(
            name: "RTCSRTP",
            dependencies: ["RTCBase", "CRTCSRTP", "CRTCOpenSSL", nioCore],
            swiftSettings: swiftSettings
        ),
        .target(name: "RTCRTP", dependencies: ["RTCBase", nioCore], swiftSettings: swiftSettings),

        // Files of media and of packets, beside the protocols.
        .target(name: "RTCMediaFiles", dependencies: ["RTCBase", "RTCRTP", nioCore], swiftSettings: swiftSettings),

        // Containers of several tracks, by FFmpeg's libavformat; nothing else here imports it.
        .target(
            name: "RTCMedia",
            dependencies: ["RTCBase", "RTCRTP", "RTCMediaFiles", "CRTCAVFormat", nioCore],
            swiftSettings: swiftSettings
        ),

        // The layers meet.
        .target(
            name: "RTCCore",
            dependencies: [
                "RTCBase", "RTCCrypto", "RTCSDP", "RTCSTUN", "RTCICE", "RTCTURN", "RTCDTLS", "RTCSCTP", "RTCSRTP",
                "RTCRTP",
                nioCore,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "WebRTC",
            dependencies: [
                "RTCCore", "RTCBase", "RTCDTLS", "RTCICE", "RTCRTP", "RTCSCTP", "RTCSDP", "RTCSTUN", "RTCTLS", nioCore,
                nioPosix, nioSSL, nioTLS, logging,
            ],
            swiftSettings: swiftSettings + [
                // A hop to another executor costs more than most calls here do.
                .enableUpcomingFeature("NonisolatedNonsendingByDefault")
            ]
        ),
        .target(
            name: "TURNServer",
            dependencies: [
                "RTCTURN", "RTCBase", "RTCSTUN", "RTCSockets", nioCore, nioPosix, nioSSL, logging, metrics,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RTCTestKit",
            dependencies: ["RTCCore", "RTCBase", "RTCDTLS", "RTCICE", "RTCSCTP", "RTCTURN", nioCore],
            swiftSettings: swiftSettings
        ),

        // Signalling protocols, beside the peer connections, and a server that speaks them.
        .target(
            name: "RTCSignaling",
            dependencies: ["RTCBase", "RTCCrypto", "CRTCZlib", nioCore],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RTCSignalingServer",
            dependencies: [
                "RTCSignaling", "RTCRooms", "RTCBase", "RTCTLS", nioCore, nioPosix, nioHTTP1, nioHTTP2, nioSSL, nioTLS,
                logging, metrics,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RTCSignalingClient",
            dependencies: ["RTCSignaling", "RTCBase", "RTCTLS", nioCore, nioPosix, nioHTTP1, nioSSL, asyncHTTPClient],
            swiftSettings: swiftSettings
        ),

        // Ingestion and playback over HTTP, both sides; nothing else here imports the HTTP client.
        .target(
            name: "RTCWHIP",
            dependencies: [
                "WebRTC", "RTCSignaling", "RTCBase", "RTCCrypto", "RTCSDP", "RTCTLS", nioCore, nioPosix, nioSSL,
                asyncHTTPClient, logging,
            ],
            swiftSettings: swiftSettings
        ),
        // Rooms over any signalling, and calls between their members.
        .target(
            name: "RTCRooms",
            dependencies: ["RTCSignaling", "RTCBase", "RTCCrypto", nioCore],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RTCCalls",
            dependencies: ["RTCRooms", "RTCSignaling", "RTCBase", "RTCCore", "WebRTC", nioCore],
            swiftSettings: swiftSettings
        ),
        .target(name: "CRTCFiles"),
        // Files from peer to peer: a protocol on a data channel, and what it needs of file systems.
        .target(
            name: "RTCFileTransfer",
            dependencies: [
                "WebRTC", "RTCSignaling", "RTCCrypto", "RTCBase", "CRTCFiles", nioCore, nioPosix, logging,
            ],
            swiftSettings: swiftSettings
        ),

        // Programs.
        .target(
            name: "ExampleSupport",
            dependencies: ["WebRTC", nioCore, nioPosix, nioHTTP1, nioSSL, logging, argumentParser],
            path: "Examples/Support",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "media-send",
            dependencies: ["ExampleSupport", "RTCMedia", "RTCMediaFiles", "RTCWHIP", "WebRTC", nioSSL, argumentParser],
            path: "Examples/MediaSend",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "media-record",
            dependencies: ["ExampleSupport", "RTCMedia", "RTCMediaFiles", "RTCWHIP", "WebRTC", argumentParser],
            path: "Examples/MediaRecord",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "EchoProgram",
            dependencies: ["ExampleSupport", "WebRTC", nioCore, nioPosix, nioHTTP1, logging, argumentParser],
            path: "Examples/Echo/Program",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "echo",
            dependencies: ["EchoProgram", argumentParser],
            path: "Examples/Echo/Main",
            swiftSettings: swiftSettings
        ),
        // The name from before it returned tracks too.
        .executableTarget(
            name: "datachannel-echo",
            dependencies: ["EchoProgram", argumentParser],
            path: "Examples/DataChannelEcho",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "FilesPage",
            dependencies: ["ExampleSupport", "RTCSignaling", "RTCSignalingServer"],
            path: "Examples/FileTransfer/Page",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "file-transfer",
            dependencies: [
                "ExampleSupport", "FilesPage", "RTCFileTransfer", "RTCSignaling", "RTCSignalingClient",
                "RTCSignalingServer", "WebRTC", "RTCBase", nioCore, nioPosix, nioSSL, logging, argumentParser,
            ],
            path: "Examples/FileTransfer/Program",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "signaling-client",
            dependencies: [
                "ExampleSupport", "RTCSignaling", "RTCSignalingClient", nioCore, argumentParser,
            ],
            path: "Examples/SignalingClient",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LiveRoutes",
            dependencies: [
                "ExampleSupport", "RTCWHIP", "RTCSignaling", "RTCSignalingServer", "RTCBase", "WebRTC", argumentParser,
            ],
            path: "Examples/WHIPServer/Routes",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "signaling-server",
            dependencies: [
                "ExampleSupport", "FilesPage", "LiveRoutes", "RTCRooms", "RTCSignaling", "RTCSignalingServer", "WebRTC",
                nioCore, logging, argumentParser,
            ],
            path: "Examples/SignalingServer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "whip-server",
            dependencies: [
                "ExampleSupport", "LiveRoutes", "RTCSignalingServer", "WebRTC", nioCore, argumentParser,
            ],
            path: "Examples/WHIPServer/Program",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "mesh-peer",
            dependencies: [
                "ExampleSupport", "RTCCalls", "RTCRooms", "RTCSignaling", "RTCSignalingClient", "RTCBase", "WebRTC",
                nioCore, argumentParser,
            ],
            path: "Examples/MeshPeer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "two-peers",
            dependencies: ["WebRTC"],
            path: "Examples/TwoPeers",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "turn-server",
            dependencies: [
                "ExampleSupport", "TURNServer", "RTCTURN", "RTCBase", nioCore, nioSSL, logging, argumentParser,
            ],
            path: "Examples/TURNServer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "rtc-bench",
            dependencies: [
                "WebRTC", "RTCBase", "RTCRooms", "RTCSignaling", "RTCSignalingClient", "RTCSignalingServer", "RTCSRTP",
                "RTCSockets", "RTCSTUN", "RTCTURN", nioCore, nioPosix, argumentParser,
            ],
            path: "Benchmarks/rtc-bench",
            swiftSettings: swiftSettings
        ),

        // Programs that tests talk to, JSON line by JSON line.
        .target(
            name: "JSONLines",
            dependencies: ["RTCSignaling"],
            path: "Tests/Conformance/JSONLines",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "wpt-bridge",
            dependencies: ["JSONLines", "WebRTC", "RTCCore", "RTCBase", "RTCRTP", nioCore, nioPosix],
            path: "Tests/Conformance/Bridge",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "interop-agent",
            dependencies: ["ExampleSupport", "JSONLines", "WebRTC", "RTCCore", "RTCBase", "RTCRTP", nioCore],
            path: "Tests/Interop/Agent",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "socketio-agent",
            dependencies: ["JSONLines", "RTCSignaling", "RTCSignalingClient", nioCore],
            path: "Tests/Interop/SocketIOAgent",
            swiftSettings: swiftSettings
        ),

        // FFmpeg's programs, for the tests of files, and certificates for those of TLS.
        .target(name: "FFmpegPrograms", path: "Tests/FFmpegPrograms", swiftSettings: swiftSettings),
        .target(
            name: "TestCertificates",
            dependencies: [nioCore, nioPosix, nioSSL, nioTLS],
            path: "Tests/TestCertificates",
            swiftSettings: swiftSettings
        ),

        // Tests.
        .testTarget(name: "RTCBaseTests", dependencies: ["RTCBase", nioCore], swiftSettings: swiftSettings),
        .testTarget(
            name: "RTCTLSTests",
            dependencies: ["RTCTLS", "TestCertificates", nioCore, nioSSL],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "RTCCryptoTests", dependencies: ["RTCCrypto"], swiftSettings: swiftSettings),
        .testTarget(
            name: "RTCSDPTests",
            dependencies: ["RTCSDP", "RTCBase"],
            resources: [.copy("Samples")],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "RTCSTUNTests", dependencies: ["RTCSTUN", nioCore], swiftSettings: swiftSettings),
        .testTarget(name: "RTCICETests", dependencies: ["RTCICE", "RTCSTUN", nioCore], swiftSettings: swiftSettings),
        .testTarget(
            name: "RTCTURNTests",
            dependencies: ["RTCTURN", "RTCSTUN", "RTCBase", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TURNServerTests",
            dependencies: ["TURNServer", "RTCTURN", "RTCSTUN", "RTCSockets", "RTCBase", nioCore, nioPosix],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "RTCDTLSTests", dependencies: ["RTCDTLS", nioCore], swiftSettings: swiftSettings),
        .testTarget(name: "RTCSRTPTests", dependencies: ["RTCSRTP", "RTCBase", nioCore], swiftSettings: swiftSettings),
        .testTarget(name: "RTCRTPTests", dependencies: ["RTCRTP", nioCore], swiftSettings: swiftSettings),
        .testTarget(
            name: "RTCMediaFilesTests",
            dependencies: ["RTCMediaFiles", "RTCBase", "RTCRTP", "FFmpegPrograms", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCMediaTests",
            dependencies: ["RTCMedia", "RTCMediaFiles", "RTCBase", "RTCRTP", "FFmpegPrograms", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "RTCSCTPTests", dependencies: ["RTCSCTP", nioCore], swiftSettings: swiftSettings),
        .testTarget(
            name: "RTCCoreTests",
            dependencies: ["RTCCore", "RTCTestKit", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WebRTCTests",
            dependencies: ["WebRTC", "RTCSCTP", nioCore, nioPosix],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCSignalingTests",
            dependencies: ["RTCSignaling", "RTCBase", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCSignalingServerTests",
            dependencies: [
                "RTCSignalingServer", "RTCSignaling", "RTCTestKit", "TestCertificates", nioCore, nioPosix, nioHTTP2,
                nioSSL,
                metrics,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCWHIPTests",
            dependencies: [
                "RTCWHIP", "RTCSignaling", "RTCSignalingServer", "RTCBase", "RTCSDP", "RTCTestKit", "TestCertificates",
                "WebRTC", nioCore, nioPosix, nioSSL,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCRoomsTests",
            dependencies: [
                "RTCRooms", "RTCSignaling", "RTCSignalingClient", "RTCSignalingServer", "RTCBase", "RTCTestKit",
                nioCore,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCCallsTests",
            dependencies: [
                "RTCCalls", "RTCRooms", "RTCSignaling", "RTCBase", "RTCCore", "RTCSCTP", "RTCTestKit", "WebRTC",
                nioCore,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCFileTransferTests",
            dependencies: ["RTCFileTransfer", "RTCSignaling", "RTCCrypto", "WebRTC", "RTCBase", nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RTCSignalingClientTests",
            dependencies: [
                "RTCSignalingClient", "RTCSignalingServer", "RTCSignaling", "RTCBase", "TestCertificates", nioCore,
                nioConcurrencyHelpers, nioPosix, nioSSL,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "RTCTestKitTests", dependencies: ["RTCTestKit", nioCore], swiftSettings: swiftSettings),
    ]
)
