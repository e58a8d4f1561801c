// RTCBaseTests
