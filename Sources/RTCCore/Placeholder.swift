// RTCCore
