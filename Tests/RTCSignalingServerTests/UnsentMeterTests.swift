import Testing

@testable import RTCSignalingServer

@Suite struct UnsentMeterTests {
    @Test("Bodies count against a connection as they are written, not before")
    func meter() {
        let meter = UnsentMeter(limit: 100)
        var isExceeded = false
        meter.whenExceeded = { isExceeded = true }
        meter.hold(1000)
        meter.hold(1000)
        meter.add(100)
        #expect(!isExceeded && meter.bytes == 2100)
        meter.remove(100)
        meter.letGo(2000)
        meter.add(50)
        meter.add(51)
        #expect(isExceeded && meter.bytes == 101)
    }

    @Test("There is room for bodies up to the limit, and for one alone")
    func room() {
        let meter = UnsentMeter(heldLimit: 100)
        #expect(meter.hasRoom(for: 1000))
        meter.hold(60)
        #expect(meter.hasRoom(for: 40) && !meter.hasRoom(for: 41))
        meter.letGo(60)
        meter.hold(1000)
        #expect(!meter.hasRoom(for: 1))
    }
}
