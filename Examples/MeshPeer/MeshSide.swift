import ExampleSupport
import Foundation
import NIOCore
import RTCBase
import RTCCalls
import RTCRooms
import Synchronization
import WebRTC

/// What this peer does in a mesh.
final class MeshSide: Sendable {
    private let room: RoomClient
    private let call: MeshCall
    private let chats: Mutex<[ObjectIdentifier: RTCDataChannel]>
    /// Files that are being received, of all peers.
    private let incomingFiles = Mutex(0)
    /// The most at once: each is held in memory.
    private static let maximumIncomingFiles = 8
    private let echoes: Bool
    private let obeys: Bool
    private let returnsMedia: Bool
    private let file: String?
    private let folder: String?

    init(room: RoomClient, echoes: Bool, returnsMedia: Bool, obeys: Bool, file: String?, folder: String?) {
        self.room = room
        self.echoes = echoes
        self.returnsMedia = returnsMedia
        self.obeys = obeys
        self.file = file
        self.folder = folder
        self.chats = Mutex([:])
        var policy = RTCAddressPolicy.defaults
        // Browsers on this machine may have nothing but loopback.
        policy.includesLoopback = true
        let addresses = policy
        self.call = MeshCall(
            room: room,
            makeConnection: { () throws(RTCError) in try RTCPeerConnection(addressPolicy: addresses) },
            prepare: { _ in }
        )
    }

    /// Takes part until the room is left.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.call.run() }
            for await event in self.call.events {
                switch event {
                case .peer(let peer): group.addTask { await self.serve(peer) }
                case .ended(let peer, let end): StandardOutput.write("ended \(peer.name): \(end)")
                case .failed(let member, let reason): StandardOutput.write("failed \(member.name): \(reason)")
                case .room(.interrupted): StandardOutput.write("interrupted")
                case .room(.resumed): StandardOutput.write("resumed")
                case .room(.rejoined(let me, let others, let loss, _)):
                    StandardOutput.write("rejoined as \(me.id), others: \(others.count), because: \(loss)")
                case .room(.ended(let error?)): StandardOutput.write("error \(error)")
                case .room: break
                }
            }
        }
    }

    // MARK: Commands

    func perform(_ line: String) async {
        let words = line.split(separator: " ", maxSplits: 1)
        switch words.first {
        case "/leave": self.room.leave()
        case "/restart": for peer in await self.call.connections { await peer.negotiator.restart() }
        case "/statistics":
            let peers = await self.call.connections
            let connected = peers.count { $0.connection.connectionState == .connected }
            StandardOutput.write("peers \(peers.count), connected \(connected), members \(self.room.members.count)")
        case "/file" where words.count == 2:
            let path = String(words[1])
            await withDiscardingTaskGroup { group in
                for peer in await self.call.connections { group.addTask { await self.send(path, to: peer) } }
            }
        default:
            for chat in self.chats.withLock({ Array($0.values) }) { try? await chat.send(line) }
        }
    }

    private func send(_ path: String, to peer: MeshPeer) async {
        do {
            try await FileTransfer.send(path, over: peer.connection)
            StandardOutput.write("sent \(path) to \(peer.name)")
        } catch {
            StandardOutput.write("cannot send \(path) to \(peer.name): \(error)")
        }
    }

    // MARK: Peers

    private func serve(_ peer: MeshPeer) async {
        await withDiscardingTaskGroup { group in
            if let chat = try? await peer.connection.createDataChannel("chat", .init(negotiated: true, id: 0)) {
                self.chats.withLock { $0[ObjectIdentifier(peer)] = chat }
                group.addTask { await self.serve(chat, peer) }
            }
            for await event in peer.events {
                switch event {
                case .connection(.connectionStateChange(let state)):
                    StandardOutput.write("state \(peer.name): \(state.rawValue)")
                case .connection(.dataChannel(let channel)) where channel.label == "file":
                    group.addTask { await self.take(channel, peer) }
                case .connection(.track(let event)) where self.returnsMedia:
                    group.addTask { try? await MediaEcho.attach(to: event.transceiver) }
                case .negotiation(let event): StandardOutput.write("negotiation \(peer.name): \(event)")
                case .connection: break
                }
            }
            self.chats.withLock { $0[ObjectIdentifier(peer)] = nil }
        }
    }

    private func serve(_ chat: RTCDataChannel, _ peer: MeshPeer) async {
        do {
            try await chat.waitUntilOpen()
            StandardOutput.write("open \(peer.name)")
            if let file = self.file { await self.send(file, to: peer) }
            for try await message in chat.messages {
                guard let text = message.text else { continue }
                StandardOutput.write("text \(peer.name): \(text)")
                if text == "/restart", self.obeys {
                    await peer.negotiator.restart()
                } else if self.echoes {
                    try await chat.send(text)
                }
            }
        } catch {
            // The channel ends with its connection.
        }
    }

    private func take(_ channel: RTCDataChannel, _ peer: MeshPeer) async {
        let mayTake = self.incomingFiles.withLock { files in
            guard files < Self.maximumIncomingFiles else { return false }
            files += 1
            return true
        }
        guard mayTake else {
            StandardOutput.write("too many files at once from \(peer.name)")
            return channel.close()
        }
        defer { self.incomingFiles.withLock { $0 -= 1 } }
        do {
            let file = try await FileTransfer.receive(from: channel)
            let name = String(
                URL(fileURLWithPath: file.name).lastPathComponent
                    .map { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "_" : $0 }
            )
            if let folder = self.folder {
                let path = URL(fileURLWithPath: folder).appendingPathComponent("\(peer.name)-\(name)")
                try Data(file.bytes.readableBytesView).write(to: path)
            }
            try await FileTransfer.confirm(on: channel)
            StandardOutput.write("file \(peer.name): \(name), \(file.bytes.readableBytes) bytes")
        } catch {
            channel.close()
            StandardOutput.write("cannot receive a file from \(peer.name): \(error)")
        }
    }
}

extension RoomMember {
    /// The name it gave itself, as one word.
    var name: String {
        let name = self.metadata["name"]?.stringValue ?? self.id.text
        return String(name.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    }
}

extension MeshPeer {
    var name: String { self.member.name }
}
