// RTCTestKitTests
