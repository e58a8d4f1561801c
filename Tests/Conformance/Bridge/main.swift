import JSONLines
import NIOPosix

// One event loop carries the bridge and all its connections: what happens has one order then, as in a page of a browser.
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let bridge = Bridge(eventLoop: group.next())
await bridge.serve(StandardInput.values())
