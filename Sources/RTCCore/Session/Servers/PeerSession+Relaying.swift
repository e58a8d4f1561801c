import NIOCore
import RTCBase
import RTCICE
import RTCTURN

extension PeerSession {
    /// Sends datagrams along a path, wrapped for the relay if it leads through one of ours.
    func transmit(_ batch: DatagramBatch, along path: ICEPath, now: NIODeadline) {
        if let relay = self.servers.relay(at: path.base), let client = relay.turn {
            client.send(batch, to: path.remote, now: now)
            self.drain(relay, now: now)
        } else {
            self.outputs.append(.transmit(batch, from: path.base, to: path.remote))
        }
    }

    /// Gives the pair that carries data a channel at its relay.
    func bindChannel(of pair: ICECandidatePair, now: NIODeadline) {
        guard let base = pair.local.base, let relay = self.servers.relay(at: base),
            let remote = pair.remote.transportAddress
        else { return }
        relay.turn?.bindChannel(to: remote, now: now)
        self.drain(relay, now: now)
    }

    /// The relay of a silent path may have gone: it is asked.
    func verifyRelay(of agent: ICEAgent, now: NIODeadline) {
        guard let base = agent.selectedPath?.base, let relay = self.servers.relay(at: base) else { return }
        relay.turn?.verify(now: now)
    }

    /// Ends all that was begun for a generation; servers are told.
    func closeServers(of ufrag: String, now: NIODeadline) {
        self.servers.lookups = self.servers.lookups.filter { $0.value.ufrag != ufrag }
        self.servers.retries.removeAll { $0.ufrag == ufrag }
        for connection in self.servers.connections(of: ufrag) {
            if let client = connection.turn {
                client.close(now: now)
                while let output = client.poll() {
                    if case .transmit(let batch) = output {
                        self.outputs.append(.transmitFlow(connection.id, batch))
                    }
                }
            }
            self.servers.remove(connection)
            self.outputs.append(.closeFlow(connection.id))
        }
    }

    /// New credentials reach the allocations that there are.
    func updateServerCredentials(now: NIODeadline) {
        let entries = ServerEntry.all(of: self.configuration)
        func current(_ entry: ServerEntry) -> ServerEntry {
            entries.first { $0.url == entry.url } ?? entry
        }
        for connection in self.servers.connections.values {
            connection.entry = current(connection.entry)
            connection.turn?.update(
                username: connection.entry.username,
                password: connection.entry.credential,
                now: now
            )
        }
        for index in self.servers.retries.indices {
            self.servers.retries[index].entry = current(self.servers.retries[index].entry)
        }
    }
}
