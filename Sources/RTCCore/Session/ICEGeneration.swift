import NIOCore
import RTCBase
import RTCICE

/// One generation of ICE: an agent with credentials of its own.
///
/// A restart begins a second generation beside the first, which goes on carrying data until the new one has a pair of its own; rolling
/// the restart back drops the second and leaves the first as it was.
struct ICEGeneration {
    let agent: ICEAgent
    let ufrag: String
    /// The mid and index of the section that candidates of this generation belong to.
    var sdpMid: String?
    var sdpMLineIndex: Int
    /// The ufrag of the peer's generation, once the two are connected.
    var remoteUfrag: String?
    /// The candidates of the remote description that were handed to the agent.
    var remoteCandidatesTaken: Set<String> = []
    var remoteEndTaken = false
    /// The candidate attributes of ours, in the order they came.
    var gathered = JSEPGatheredCandidates()
    var gatheringState: RTCIceGatheringState = .new
    /// What the agent reported before there was a description to tell it with.
    var heldEvents: [ICEAgent.Event] = []
    /// How the relay of a relayed address is reached.
    var relayProtocols: [TransportAddress: RTCIceServerTransportProtocol] = [:]
    /// What became of each server, in the order of the configuration.
    private(set) var serverReports: [RTCIceServerReport] = []
    /// The URLs of servers that could not be asked: their names have no address, or none that ours reach.
    var unaskedServers: Set<String> = []

    /// The addresses that were found after the peer was told of the last one.
    var untoldBases: Set<TransportAddress> = []
    /// Whether a pair was selected once.
    var wasConnected = false
    /// Whether the address that carried the data has gone.
    var hasLostAddress = false
    /// When a restart is asked for unless something works until then.
    var strandedUntil: NIODeadline?
    /// Whether a restart was asked for in its favour; once.
    var hasAskedForRestart = false

    /// Takes note of the servers that nobody asked, now that gathering is complete.
    mutating func noteUnasked() {
        for report in self.serverReports where report.outcome == .pending {
            self.unaskedServers.insert(report.url)
            self.note(report.url, .failed(code: 701), "No local address can reach it.")
        }
    }

    /// Takes note of what a server last said.
    mutating func note(_ url: String, _ outcome: RTCIceServerReport.Outcome, _ text: String) {
        let report = RTCIceServerReport(url: url, outcome: outcome, text: text)
        guard let index = self.serverReports.firstIndex(where: { $0.url == url }) else {
            return self.serverReports.append(report)
        }
        // A server asked from several addresses helped if it helped one of them.
        if case .failed = outcome, self.serverReports[index].outcome == .succeeded { return }
        self.serverReports[index] = report
    }
}

extension ICEGatheringState {
    var rtc: RTCIceGatheringState {
        switch self {
        case .new: return .new
        case .gathering: return .gathering
        case .complete: return .complete
        }
    }
}

extension ICEConnectionState {
    var rtc: RTCIceTransportState {
        switch self {
        case .new: return .new
        case .checking: return .checking
        case .connected: return .connected
        case .completed: return .completed
        case .disconnected: return .disconnected
        case .failed: return .failed
        case .closed: return .closed
        }
    }
}
