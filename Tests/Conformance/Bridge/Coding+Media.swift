import JSONLines
import RTCCore
import WebRTC

// MARK: - From Node

extension JSONValue {
    var codec: RTCRtpCodec {
        RTCRtpCodec(
            mimeType: self["mimeType"]?.string ?? "",
            clockRate: UInt32(clamping: self["clockRate"]?.int ?? 0),
            channels: self["channels"]?.int.map(UInt16.init(clamping:)),
            sdpFmtpLine: self["sdpFmtpLine"]?.string
        )
    }

    var headerExtension: RTCRtpHeaderExtensionCapability {
        RTCRtpHeaderExtensionCapability(
            uri: self["uri"]?.string ?? "",
            direction: self["direction"]?.string.flatMap(RTCRtpTransceiverDirection.init(rawValue:)) ?? .sendrecv
        )
    }

    var encoding: RTCRtpEncodingParameters {
        RTCRtpEncodingParameters(
            rid: self["rid"]?.string,
            active: self["active"]?.bool ?? true,
            codec: self["codec"]?.codec,
            maxBitrate: self["maxBitrate"]?.int.map(UInt64.init(clamping:)),
            maxFramerate: self["maxFramerate"]?.double,
            scaleResolutionDownBy: self["scaleResolutionDownBy"]?.double,
            scalabilityMode: self["scalabilityMode"]?.string,
            priority: self["priority"]?.string.flatMap(RTCPriorityType.init(rawValue:)) ?? .low,
            networkPriority: self["networkPriority"]?.string.flatMap(RTCPriorityType.init(rawValue:)) ?? .low
        )
    }

    /// Parameters as Node has them; what is the same as in `last` is taken from there.
    func sendParameters(like last: RTCRtpSendParameters) -> RTCRtpSendParameters {
        var parameters = last
        parameters.transactionId = self["transactionId"]?.string ?? ""
        parameters.encodings = (self["encodings"]?.array ?? []).map(\.encoding)
        parameters.degradationPreference = self["degradationPreference"]?.string.flatMap(
            RTCDegradationPreference.init(rawValue:)
        )
        parameters.headerExtensions = (self["headerExtensions"]?.array ?? []).map { json in
            RTCRtpHeaderExtensionParameters(uri: json["uri"]?.string ?? "", id: UInt16(clamping: json["id"]?.int ?? 0))
        }
        parameters.rtcp = RTCRtcpParameters(
            cname: self["rtcp"]?["cname"]?.string ?? "",
            reducedSize: self["rtcp"]?["reducedSize"]?.bool ?? false
        )
        parameters.codecs = (self["codecs"]?.array ?? []).compactMap { json in
            guard let type = json["payloadType"]?.int.flatMap({ PayloadType(rawValue: UInt8(clamping: $0)) }) else {
                return nil
            }
            return RTCRtpCodecParameters(payloadType: type, codec: json.codec)
        }
        return parameters
    }
}

// MARK: - To Node

extension JSONValue {
    private static func members(_ codec: RTCRtpCodec) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "mimeType": .string(codec.mimeType), "clockRate": JSONValue(codec.clockRate),
        ]
        if let channels = codec.channels { members["channels"] = JSONValue(channels) }
        if let parameters = codec.sdpFmtpLine { members["sdpFmtpLine"] = .string(parameters) }
        return members
    }

    init(_ extensions: [RTCRtpHeaderExtensionCapability]) {
        self = .array(extensions.map { ["uri": .string($0.uri), "direction": .string($0.direction.rawValue)] })
    }

    init(_ capabilities: RTCRtpCapabilities) {
        self = [
            "codecs": .array(capabilities.codecs.map { .object(Self.members($0)) }),
            "headerExtensions": JSONValue(capabilities.headerExtensions),
        ]
    }

    private init(_ encoding: RTCRtpEncodingParameters) {
        var members: [String: JSONValue] = [
            "active": .bool(encoding.active), "priority": .string(encoding.priority.rawValue),
            "networkPriority": .string(encoding.networkPriority.rawValue),
        ]
        members["rid"] = encoding.rid.map { .string($0) }
        members["codec"] = encoding.codec.map { .object(Self.members($0)) }
        members["maxBitrate"] = encoding.maxBitrate.map { JSONValue($0) }
        members["maxFramerate"] = encoding.maxFramerate.map { .number($0) }
        members["scaleResolutionDownBy"] = encoding.scaleResolutionDownBy.map { .number($0) }
        members["scalabilityMode"] = encoding.scalabilityMode.map { .string($0) }
        self = .object(members)
    }

    init(_ parameters: RTCRtpSendParameters) {
        var members = Self.members(parameters.headerExtensions, parameters.rtcp, parameters.codecs)
        members["transactionId"] = .string(parameters.transactionId)
        members["encodings"] = .array(parameters.encodings.map { JSONValue($0) })
        members["degradationPreference"] = parameters.degradationPreference.map { .string($0.rawValue) }
        self = .object(members)
    }

    init(_ parameters: RTCRtpReceiveParameters) {
        self = .object(Self.members(parameters.headerExtensions, parameters.rtcp, parameters.codecs))
    }

    private static func members(
        _ headerExtensions: [RTCRtpHeaderExtensionParameters],
        _ rtcp: RTCRtcpParameters,
        _ codecs: [RTCRtpCodecParameters]
    ) -> [String: JSONValue] {
        [
            "headerExtensions": .array(
                headerExtensions.map {
                    ["uri": .string($0.uri), "id": JSONValue($0.id), "encrypted": .bool($0.encrypted)]
                }
            ),
            "rtcp": ["cname": .string(rtcp.cname), "reducedSize": .bool(rtcp.reducedSize)],
            "codecs": .array(
                codecs.map { codec in
                    var members = Self.members(codec.codec)
                    members["payloadType"] = JSONValue(codec.payloadType.rawValue)
                    return .object(members)
                }
            ),
        ]
    }
}
