import NIOCore
import RTCBase
import Testing

@Suite("Datagram batches")
struct DatagramBatcherTests {
    private func append(_ size: Int, _ fill: UInt8, to batcher: inout DatagramBatcher) {
        let bytes = [UInt8](repeating: fill, count: size)
        bytes.withUnsafeBytes { batcher.append($0) }
    }

    @Test("equal datagrams share a batch, a shorter one ends it, a longer one begins the next")
    func borders() {
        var batcher = DatagramBatcher()
        for (size, fill) in [(100, 1), (100, 2), (40, 3), (100, 4), (200, 5)] {
            self.append(size, UInt8(fill), to: &batcher)
        }
        var sizes: [[Int]] = []
        while let batch = batcher.next() {
            var datagrams: [Int] = []
            batch.forEachDatagram { datagrams.append($0.readableBytes) }
            #expect(datagrams.count == batch.count)
            sizes.append(datagrams)
        }
        #expect(sizes == [[100, 100, 40], [100], [200]])
        #expect(batcher.isEmpty)
    }

    @Test("no batch exceeds what the kernel takes", arguments: [1, 500, 1200, 1472, 9000])
    func limits(size: Int) {
        var batcher = DatagramBatcher()
        let count = 200
        for number in 0..<count { self.append(size, UInt8(truncatingIfNeeded: number), to: &batcher) }
        var total = 0
        while let batch = batcher.next() {
            #expect(batch.count <= DatagramBatch.maximumCount)
            #expect(batch.bytes.readableBytes <= max(DatagramBatch.maximumBytes, size))
            total += batch.count
        }
        #expect(total == count)
    }

    @Test("nothing comes of nothing")
    func empty() {
        var batcher = DatagramBatcher()
        batcher.append(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(batcher.next() == nil)
        self.append(10, 1, to: &batcher)
        batcher.removeAll()
        #expect(batcher.next() == nil)
    }
}
