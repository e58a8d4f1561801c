import NIOCore

/// What the packets of a probe tell: the rate at which they left and that at which they arrived.
struct ProbeEstimator: Sendable {
    private struct Train {
        let cluster: ProbeCluster
        var packets = 0
        var bytes = 0
        var firstSend = Int64.max
        var lastSend = Int64.min
        var firstArrival = Int64.max
        var lastArrival = Int64.min
        var bytesOfLastSent = 0
        var bytesOfFirstArrived = 0
        var result: Bitrate?
    }

    private var trains: [Train] = []

    /// Begins to watch for a probe's packets. The latest eight are watched.
    mutating func begin(_ cluster: ProbeCluster) {
        if self.trains.count == Self.maximumTrains { self.trains.removeFirst() }
        self.trains.append(Train(cluster: cluster))
    }

    /// Takes a packet of a probe, and gives the rate the path has shown as soon as enough of the probe arrived.
    mutating func add(_ result: PacketResult, id: ProbeClusterID, arrival: Int64) -> Bitrate? {
        guard let index = self.trains.firstIndex(where: { $0.cluster.id == id }) else { return nil }
        let send = Int64(result.sendTime.uptimeNanoseconds)
        self.trains[index].packets += 1
        self.trains[index].bytes += result.bytes
        if send >= self.trains[index].lastSend { self.trains[index].bytesOfLastSent = result.bytes }
        if arrival < self.trains[index].firstArrival { self.trains[index].bytesOfFirstArrived = result.bytes }
        self.trains[index].firstSend = min(self.trains[index].firstSend, send)
        self.trains[index].lastSend = max(self.trains[index].lastSend, send)
        self.trains[index].firstArrival = min(self.trains[index].firstArrival, arrival)
        self.trains[index].lastArrival = max(self.trains[index].lastArrival, arrival)
        return Self.rate(of: self.trains[index])
    }

    private static func rate(of train: Train) -> Bitrate? {
        guard Double(train.packets) >= Double(train.cluster.minimumPackets) * self.enough,
            Double(train.bytes) >= Double(train.cluster.minimumBytes) * self.enough
        else { return nil }
        let sendTime = train.lastSend - train.firstSend
        let arrivalTime = train.lastArrival - train.firstArrival
        guard sendTime > 0, arrivalTime > 0, sendTime < self.longest, arrivalTime < self.longest else { return nil }
        let sent = Bitrate(bytes: train.bytes - train.bytesOfLastSent, over: .nanoseconds(sendTime))
        let received = Bitrate(bytes: train.bytes - train.bytesOfFirstArrived, over: .nanoseconds(arrivalTime))
        // Arriving much faster than sent: something on the way held the packets back and let them go together.
        guard received < sent * 2 else { return nil }
        // Arriving slower than sent: the path is full, and a little below it is where to stay.
        return received < sent * 0.9 ? received * 0.95 : min(sent, received)
    }

    private static let maximumTrains = 8
    private static let enough = 0.8
    private static let longest: Int64 = 1_000_000_000
}
