// RTCDTLSTests
