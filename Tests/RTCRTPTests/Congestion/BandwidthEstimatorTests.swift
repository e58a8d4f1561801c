import NIOCore
import Testing

@testable import RTCRTP

@Suite("Bandwidth estimator")
struct BandwidthEstimatorTests {
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    private func outputs(_ estimator: inout BandwidthEstimator) -> [ProbeCluster] {
        var probes: [ProbeCluster] = []
        while let output = estimator.poll() {
            if case .probe(let cluster) = output { probes.append(cluster) }
        }
        return probes
    }

    @Test("the first packet brings probes at three and six times the start, within the maximum")
    func firstProbes() {
        var estimator = BandwidthEstimator()
        #expect(self.outputs(&estimator).isEmpty && estimator.nextTimeout == nil)
        estimator.noteSent(bytes: 100, now: self.start)
        #expect(self.outputs(&estimator).map(\.rate) == [.kilobitsPerSecond(900), .kilobitsPerSecond(1800)])
        var configuration = BandwidthEstimator.Configuration()
        configuration.maximum = .kilobitsPerSecond(800)
        estimator = BandwidthEstimator(configuration: configuration)
        estimator.noteSent(bytes: 100, now: self.start)
        #expect(self.outputs(&estimator).map(\.rate) == [.kilobitsPerSecond(800)])
    }

    @Test("a peer with nothing but REMB decides the target, within the limits")
    func remoteEstimate() {
        var estimator = BandwidthEstimator()
        estimator.noteSent(bytes: 100, now: self.start)
        estimator.receive(remoteEstimate: .kilobitsPerSecond(1500), now: self.start)
        #expect(estimator.estimate.target == .kilobitsPerSecond(1500))
        estimator.receive(remoteEstimate: .zero, now: self.start)
        #expect(estimator.estimate.target == .kilobitsPerSecond(30))
        estimator.receive(remoteEstimate: .maximum, now: self.start)
        #expect(estimator.estimate.target == .kilobitsPerSecond(50_000))
    }

    @Test("report blocks lower the target at a tenth lost and raise it without loss")
    func reportBlocks() {
        var estimator = BandwidthEstimator()
        var now = self.start
        estimator.noteSent(bytes: 100, now: now)
        for _ in 0..<10 {
            now = now + .seconds(1)
            estimator.receive(fractionLost: 0, packets: 100, now: now)
        }
        let high = estimator.estimate.target
        #expect(high > .kilobitsPerSecond(500))
        for _ in 0..<5 {
            now = now + .seconds(1)
            estimator.receive(fractionLost: 0.4, packets: 100, now: now)
        }
        #expect(estimator.estimate.target < high * 0.7)
        #expect(estimator.estimate.state == .lossLimited)
    }

    @Test("another route begins anew, with other probes")
    func route() {
        var estimator = BandwidthEstimator()
        estimator.noteSent(bytes: 100, now: self.start)
        let first = self.outputs(&estimator)
        estimator.receive(remoteEstimate: .kilobitsPerSecond(5000), now: self.start)
        estimator.routeChanged(now: self.start + .seconds(1))
        #expect(estimator.estimate.target == .kilobitsPerSecond(300))
        let second = self.outputs(&estimator)
        #expect(second.count == 2)
        #expect(Set(first.map(\.id)).isDisjoint(with: second.map(\.id)))
    }
}
