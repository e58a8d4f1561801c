// Steps that need one page only.

extension CodelabPages {
    /// Step 1.
    static let camera = Step(
        title: "Show the camera",
        html: """
            <p>The browser asks for the camera, and the page shows it.</p>
            <video id="local" autoplay playsinline muted></video>
            <p id="status"></p>
            """,
        script: #"""
            openCamera()
              .then(stream => {
                element("local").srcObject = stream;
                show("The camera is on.");
              })
              .catch(error => show("No camera: " + error.name));
            """#
    )

    /// Step 2.
    static let localCall = Step(
        title: "Call within a page",
        html: """
            <p>Two peer connections in one page: what one sends, the other shows. They hand each other descriptions and candidates
            directly; between two pages, that is signalling.</p>
            <video id="local" autoplay playsinline muted></video>
            <video id="remote" autoplay playsinline muted></video>
            <p><button id="start">Start</button> <button id="call" disabled>Call</button>
            <button id="hangUp" disabled>Hang up</button></p>
            <p id="status"></p>
            """,
        script: #"""
            let stream, caller, callee;

            element("start").onclick = async () => {
              element("start").disabled = true;
              stream = await openCamera();
              element("local").srcObject = stream;
              element("call").disabled = false;
              show("The camera is on.");
            };

            element("call").onclick = async () => {
              element("call").disabled = true;
              element("hangUp").disabled = false;
              caller = new RTCPeerConnection();
              callee = new RTCPeerConnection();
              caller.onicecandidate = ({candidate}) => callee.addIceCandidate(candidate);
              callee.onicecandidate = ({candidate}) => caller.addIceCandidate(candidate);
              callee.ontrack = ({streams}) => { element("remote").srcObject = streams[0]; };
              callee.onconnectionstatechange = () => show("The call is " + callee.connectionState + ".");
              for (const track of stream.getTracks()) caller.addTrack(track, stream);
              await caller.setLocalDescription();
              await callee.setRemoteDescription(caller.localDescription);
              await callee.setLocalDescription();
              await caller.setRemoteDescription(callee.localDescription);
            };

            element("hangUp").onclick = () => {
              caller.close();
              callee.close();
              element("remote").srcObject = null;
              element("hangUp").disabled = true;
              element("call").disabled = false;
              show("The call is over.");
            };
            """#
    )

    /// Step 3.
    static let textChannel = Step(
        title: "Send text over a data channel",
        html: """
            <p>What is written on the left arrives on the right, over a data channel between two peer connections.</p>
            <textarea id="outgoing" disabled placeholder="Start, write something, send."></textarea>
            <textarea id="incoming" disabled></textarea>
            <p><button id="start">Start</button> <button id="send" disabled>Send</button>
            <button id="stop" disabled>Stop</button></p>
            <p id="status"></p>
            """,
        script: #"""
            let sender, receiver, channel;

            function setOpen(isOpen) {
              element("start").disabled = isOpen;
              for (const id of ["outgoing", "send", "stop"]) element(id).disabled = !isOpen;
              show(isOpen ? "The channel is open." : "The channel is closed.");
            }

            element("start").onclick = async () => {
              element("start").disabled = true;
              sender = new RTCPeerConnection();
              receiver = new RTCPeerConnection();
              sender.onicecandidate = ({candidate}) => receiver.addIceCandidate(candidate);
              receiver.onicecandidate = ({candidate}) => sender.addIceCandidate(candidate);
              channel = sender.createDataChannel("text");
              channel.onopen = () => setOpen(true);
              channel.onclose = () => setOpen(false);
              receiver.ondatachannel = event => {
                event.channel.onmessage = ({data}) => { element("incoming").value = data; };
              };
              await sender.setLocalDescription();
              await receiver.setRemoteDescription(sender.localDescription);
              await receiver.setLocalDescription();
              await sender.setRemoteDescription(receiver.localDescription);
            };

            element("send").onclick = () => channel.send(element("outgoing").value);

            element("stop").onclick = () => {
              sender.close();
              receiver.close();
              setOpen(false);
            };
            """#
    )
}
