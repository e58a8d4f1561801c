import JSONLines

// A client of Socket.IO at the command of a test: requests as lines of JSON in, replies and what happens as lines of JSON out.
await SocketIOAgent().serve(StandardInput.values())
