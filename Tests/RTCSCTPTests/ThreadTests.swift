import NIOCore
import RTCBase
import RTCSCTP
import Testing

extension SCTPTests {
    @Suite("Threads", .serialized)
    struct ThreadTests {
        @Test("associations on several threads live and die beside a clock on its own thread")
        func threads() async throws {
            let before = SCTPRuntime.activeAssociations
            let done = WakeCounter()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while done.count == 0 {
                        SCTPRuntime.advance(milliseconds: 20)
                        await Task.yield()
                    }
                }
                await withTaskGroup(of: Void.self) { workers in
                    for worker in 0..<4 as Range<UInt64> {
                        workers.addTask { Self.work(seed: worker + 1) }
                    }
                }
                done.increment()
            }
            #expect(SCTPRuntime.activeAssociations == before)
        }

        /// Runs associations that lose packets, so that timers, packets and ends meet.
        private static func work(seed: UInt64) {
            for round in 0..<60 as Range<UInt64> {
                let pair = TransportPair(seed: seed &* 100 &+ round)
                pair.network = .init(lost: 200, doubled: 50, reordered: 100)
                let handle = try? pair.client.transport.createChannel(.init(label: "t"), id: nil)
                pair.start()
                for step in 0..<20 {
                    pair.pump()
                    if let handle, step == 10 { try? pair.client.send(bytes: 50_000, on: handle) }
                    SCTPRuntime.advance(milliseconds: 30)
                    pair.client.transport.handleTimeout(now: pair.now)
                    pair.server.transport.handleTimeout(now: pair.now)
                }
                if round % 3 == 0 { pair.client.transport.abort() }
                if round % 3 == 1 { pair.server.transport.shutdown(now: pair.now) }
                pair.pump()
            }
        }
    }
}
