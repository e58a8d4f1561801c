// RTCSTUNTests
