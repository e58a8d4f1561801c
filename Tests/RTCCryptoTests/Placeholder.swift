// RTCCryptoTests
