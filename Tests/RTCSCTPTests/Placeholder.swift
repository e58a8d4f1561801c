// RTCSCTPTests
