internal import NIOCore
internal import RTCBase

extension RateBucket {
    /// Takes so much; a second's worth may pass at once.
    mutating func take(_ amount: Int, perSecond: Int, now: NIODeadline) -> Bool {
        self.take(amount, rate: Double(perSecond), burst: perSecond, now: now)
    }
}
