// RTCCoreTests
