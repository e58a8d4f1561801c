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
}
