// RTCCrypto
