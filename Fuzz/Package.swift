// swift-tools-version:6.1
import PackageDescription

// Fuzzers, in a package of their own: they need flags that an ordinary build must not pay for. Scripts/fuzz.sh builds
// and runs them.

let root = "swift-webrtc"
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

func fuzzer(_ name: String, _ products: [String], _ others: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: products.map { .product(name: $0, package: root) } + others + ["FuzzInput", "CFuzzer"],
        swiftSettings: swiftSettings
    )
}

let package = Package(
    name: "swift-webrtc-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: root, path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .target(name: "CFuzzer"),
        .target(name: "FuzzInput", swiftSettings: swiftSettings),
        fuzzer("FuzzSDP", ["RTCSDP"]),
        fuzzer("FuzzSTUN", ["RTCSTUN", "RTCBase"]),
        fuzzer("FuzzTURN", ["RTCTURN", "RTCBase"], [nioCore]),
        fuzzer("FuzzCandidate", ["RTCICE", "RTCSDP", "RTCCore", "RTCBase"]),
        fuzzer("FuzzMDNS", ["RTCICE", "RTCBase"], [nioCore]),
        fuzzer("FuzzDCEP", ["RTCSCTP", "RTCBase"], [nioCore]),
        fuzzer("FuzzSCTP", ["RTCSCTP", "RTCBase"], [nioCore]),
        fuzzer("FuzzSRTP", ["RTCSRTP"]),
        fuzzer("FuzzRTP", ["RTCRTP"], [nioCore]),
        fuzzer("FuzzRTCP", ["RTCRTP"], [nioCore]),
        fuzzer("FuzzPayloads", ["RTCRTP", "RTCBase"], [nioCore]),
        fuzzer("FuzzFEC", ["RTCRTP"], [nioCore]),
        fuzzer("FuzzIVF", ["RTCMediaFiles"], [nioCore]),
        fuzzer("FuzzOgg", ["RTCMediaFiles", "RTCRTP"], [nioCore]),
        fuzzer("FuzzAnnexB", ["RTCMediaFiles", "RTCRTP"], [nioCore]),
        fuzzer("FuzzWAV", ["RTCMediaFiles"], [nioCore]),
        fuzzer("FuzzRTPDump", ["RTCMediaFiles"], [nioCore]),
        fuzzer("FuzzWHIP", ["RTCWHIP", "RTCSDP", "RTCSignaling"]),
        fuzzer("FuzzWebSocket", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzSTOMP", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzSockJS", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzSession", ["RTCTestKit", "RTCCore", "RTCSTUN", "RTCSCTP", "RTCBase"], [nioCore]),
        fuzzer("FuzzSocketIO", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzPolling", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzMailbox", ["RTCSignaling", "RTCBase"], [nioCore]),
        fuzzer("FuzzFileTransfer", ["RTCFileTransfer"], [nioCore]),
        fuzzer("FuzzRooms", ["RTCCalls", "RTCRooms", "RTCSignaling", "RTCCore", "RTCBase"], [nioCore]),
        fuzzer("FuzzTURNClient", ["RTCTURN", "RTCSTUN", "RTCBase"], [nioCore]),
    ]
)
