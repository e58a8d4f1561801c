import ExampleSupport
import WebRTC

/// Returns every message of every channel.
enum MessageEcho {
    /// Serves a peer's channels until it is gone.
    static func serve(_ connection: RTCPeerConnection) async {
        await withDiscardingTaskGroup { channels in
            for await event in connection.events {
                if case .dataChannel(let channel) = event { channels.addTask { await self.echo(channel) } }
                if event.endsConnection { break }
            }
            // The channels' messages end with the connection.
            await connection.close()
        }
    }

    /// Returns what a channel receives; reads no faster than the peer takes.
    private static func echo(_ channel: RTCDataChannel) async {
        do {
            for try await message in channel.messages { try await channel.send(message) }
        } catch {
            channel.close()
        }
    }
}
