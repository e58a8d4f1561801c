// RTCICETests
