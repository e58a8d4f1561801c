// RTCTestKit
