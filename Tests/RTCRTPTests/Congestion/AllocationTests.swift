import NIOCore
import Testing

@testable import RTCRTP

@Suite("Allocation of the target")
struct AllocationTests {
    private typealias Encoding = BitrateAllocator.Encoding

    private let simulcast = [
        Encoding(id: 0, minimum: .kilobitsPerSecond(50), maximum: .kilobitsPerSecond(150), layer: 0, group: 1),
        Encoding(id: 1, minimum: .kilobitsPerSecond(200), maximum: .kilobitsPerSecond(500), layer: 1, group: 1),
        Encoding(id: 2, minimum: .kilobitsPerSecond(600), maximum: .kilobitsPerSecond(2500), layer: 2, group: 1),
    ]

    @Test("higher layers are on as far as the target goes, and come back only with a margin")
    func layers() {
        var allocator = BitrateAllocator()
        func on(_ kilobits: Int) -> [Bool] {
            allocator.allocate(.kilobitsPerSecond(kilobits), among: self.simulcast).map(\.isOn)
        }
        #expect(on(3000) == [true, true, true])
        #expect(on(800) == [true, true, false])
        #expect(on(860) == [true, true, false])
        #expect(on(1000) == [true, true, true])
        #expect(on(860) == [true, true, true])
        #expect(on(40) == [false, false, false])
    }

    @Test("the sum never exceeds the target, and no share its maximum", arguments: [0, 49, 50, 333, 900, 5000])
    func bounds(kilobits: Int) {
        var allocator = BitrateAllocator()
        let shares = allocator.allocate(.kilobitsPerSecond(kilobits), among: self.simulcast)
        #expect(shares.reduce(.zero) { $0 + $1.rate } <= .kilobitsPerSecond(kilobits))
        for (share, encoding) in zip(shares, self.simulcast) { #expect(share.rate <= encoding.maximum) }
    }

    @Test("priority is a weight, and what one cannot use goes to the others")
    func priorities() {
        var allocator = BitrateAllocator()
        let encodings = [
            Encoding(id: 1, minimum: .zero, maximum: .kilobitsPerSecond(5000), priority: 4),
            Encoding(id: 2, minimum: .zero, maximum: .kilobitsPerSecond(5000), priority: 1),
            Encoding(id: 3, minimum: .zero, maximum: .kilobitsPerSecond(100), priority: 4),
        ]
        let rates = allocator.allocate(.kilobitsPerSecond(1100), among: encodings).map(\.rate)
        #expect(rates == [.kilobitsPerSecond(800), .kilobitsPerSecond(200), .kilobitsPerSecond(100)])
    }

    @Test("sound stays on when nothing suffices")
    func sound() {
        var allocator = BitrateAllocator()
        let sound = Encoding(
            id: 9,
            minimum: .kilobitsPerSecond(32),
            maximum: .kilobitsPerSecond(64),
            isAlwaysOn: true
        )
        let shares = allocator.allocate(.kilobitsPerSecond(20), among: self.simulcast + [sound])
        #expect(shares.map(\.isOn) == [false, false, false, true])
        #expect(shares[3].rate == .kilobitsPerSecond(20))
    }
}
