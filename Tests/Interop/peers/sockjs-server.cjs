// Node's own SockJS server: echoes under /echo, and under /plain without WebSockets. Prints its URL; ends with its input.
"use strict";
const http = require("http");
const sockjs = require("sockjs");

const server = http.createServer();
for (const [prefix, websocket] of [["/echo", true], ["/plain", false]]) {
    const service = sockjs.createServer({ websocket, log: () => {} });
    service.on("connection", (connection) => {
        connection.on("data", (message) => connection.write(message));
    });
    service.installHandlers(server, { prefix });
}
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
