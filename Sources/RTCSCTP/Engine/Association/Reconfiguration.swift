/// Requests about streams, ours and the peer's (RFC 6525).
struct Reconfiguration {
    /// What a response says (section 4.4).
    enum Result: UInt32 {
        case nothingToDo = 0
        case performed = 1
        case denied = 2
        case wrongNumber = 3
        case inProgress = 4
        case badSequence = 5
        case deferred = 6
    }

    /// The peer's request to reset its streams, which waits for data sent before it.
    struct Deferred {
        var request: UInt32
        var lastTSN: UInt32
        var streams: [UInt16]
    }

    /// The number of our next request.
    var nextRequest: UInt32
    /// A request of ours that is under way.
    struct Request {
        var number: UInt32
        var lastTSN: UInt32
        var streams: [UInt16]
        var chunk: ControlChunk
    }

    /// The request that is under way; one at a time.
    var current: Request?
    /// Streams to be reset after all that waits for them.
    var wanted: [UInt16] = []
    /// How often the request was sent again.
    var tries = 0

    /// The number of the peer's next request.
    var expectedRequest: UInt32 = 0
    /// The answer to its last one, to be repeated.
    var lastResult = Result.nothingToDo
    var deferred: Deferred?
    /// The deferred request that was carried out last: a peer that was told to wait asks again with another number.
    var carriedOut: Deferred?

    init(firstRequest: UInt32) { self.nextRequest = firstRequest }
}
