// RTCSDPTests
