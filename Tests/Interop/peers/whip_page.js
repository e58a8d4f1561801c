// whip-server's own page, driven by tests: its `publish` and `watch` with pictures and sound that can be recognised.

async function publishPicture(name, token, colour = [200, 40, 40]) {
  const context = new AudioContext();
  const picture = makePicture(320, 240);
  picture.colour = `rgb(${colour})`;
  const media = new MediaStream([picture.track, makeTone(context, 440)]);
  window.current = await publish(name, token, media);
  window.paint = (colour) => { picture.colour = `rgb(${colour})`; };
  return await until(() => current.peer.connectionState === "connected");
}

async function publishCamera(name, token) {
  const media = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 }, audio: true });
  window.current = await publish(name, token, media);
  return await until(() => current.peer.connectionState === "connected");
}

async function watchPicture(name, token) {
  window.current = await watch(name, token);
  await until(() => current.peer.connectionState === "connected");
  return await until(() => video.videoWidth > 0);
}

// What is decoded, and what pair it comes by.
async function received() {
  const [inbound] = await statistics(current.peer, "inbound-rtp", "video");
  const [sound] = await statistics(current.peer, "inbound-rtp", "audio");
  const codecs = await statistics(current.peer, "codec");
  return {
    frames: inbound?.framesDecoded ?? 0, sound: sound?.packetsReceived ?? 0, colour: colourOf(video), size: [video.videoWidth, video.videoHeight],
    codec: codecs.find((entry) => entry.id === inbound?.codecId)?.mimeType,
  };
}
