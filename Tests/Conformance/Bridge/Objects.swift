import JSONLines
import RTCBase
import RTCCore
import WebRTC

/// A connection as Node sees it. Confined to the bridge.
final class ConnectionObject {
    let id: String
    let connection: RTCPeerConnection
    var isClosed = false
    var channels: [ChannelObject] = []
    /// The transceivers that Node was told of, in their order.
    var transceivers: [MediaObjects.Transceiver] = []
    /// The transports that Node was told of, `nil` before the first of them.
    var transports: Transports?
    /// The states of the transports that their events told of.
    var states = TransportStates()

    /// The ids of the transport objects.
    struct Transports {
        var sctp: String
        let dtls: String
        let ice: String
    }

    struct TransportStates {
        var ice = RTCIceTransportState.new
        var gathering = RTCIceGatheringState.new
        var dtls = RTCDtlsTransportState.new
        var sctp = RTCSctpTransportState.connecting
    }

    init(id: String, connection: RTCPeerConnection) {
        self.id = id
        self.connection = connection
    }
}

/// A channel as Node sees it. Confined to the bridge.
final class ChannelObject {
    let id: String
    let channel: RTCDataChannel
    let owner: ConnectionObject
    /// Whether Node closed it: what follows from that is no news to it.
    var closeWasCalled = false

    init(id: String, channel: RTCDataChannel, owner: ConnectionObject) {
        self.id = id
        self.channel = channel
        self.owner = owner
    }
}

/// What happened and is still to be told, with what could be read at that moment.
enum Happening {
    case connection(ConnectionObject, RTCPeerConnection.Event, Moment)
    case channel(ChannelObject, RTCDataChannel.Event)
    case incomingChannel(ConnectionObject, RTCDataChannel, RTCDataChannelState, Moment)
    case message(ChannelObject, RTCDataChannelMessage)
    case reply(id: Int, Result<JSONValue, Failure>, ConnectionObject?, Moment?)
}
