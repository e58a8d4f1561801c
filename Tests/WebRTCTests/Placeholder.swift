// WebRTCTests
