// Pion as an agent (PROTOCOL.md). Built in GOPATH mode against Debian's packages.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc"
	"github.com/pion/webrtc/pkg/media"
)

const highWater = 1 << 20

type object = map[string]interface{}

// What createPeer may ask for.
type configuration struct {
	ICEServers []struct {
		URLs       []string `json:"urls"`
		Username   string   `json:"username"`
		Credential string   `json:"credential"`
	} `json:"iceServers"`
	ICETransportPolicy string   `json:"iceTransportPolicy"`
	TCP                []string `json:"tcp"`
}

// An API whose peers listen on a TCP port too, if that is wanted.
func (c *configuration) api() (*webrtc.API, error) {
	if c == nil || len(c.TCP) == 0 {
		return api, nil
	}
	listener, err := net.Listen("tcp4", ":0")
	if err != nil {
		return nil, err
	}
	return newAPI(func(settings *webrtc.SettingEngine) {
		settings.SetICETCPMux(webrtc.NewICETCPMux(nil, listener, 8))
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4})
	}), nil
}

func newAPI(adjust func(*webrtc.SettingEngine)) *webrtc.API {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	// Candidates that end in .local cannot be resolved without multicast: connectivity checks reveal those peers.
	settings.SetICEMulticastDNSMode(1)
	adjust(&settings)
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		panic(err)
	}
	// Without these, encodings of simulcast cannot be told apart.
	for _, name := range []string{"mid", "rtp-stream-id", "repaired-rtp-stream-id"} {
		extension := webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:sdes:" + name}
		if err := codecs.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
			panic(err)
		}
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(codecs))
}

func (c *configuration) translate() webrtc.Configuration {
	made := webrtc.Configuration{}
	if c == nil {
		return made
	}
	for _, server := range c.ICEServers {
		made.ICEServers = append(made.ICEServers, webrtc.ICEServer{
			URLs: server.URLs, Username: server.Username, Credential: server.Credential,
		})
	}
	if c.ICETransportPolicy == "relay" {
		made.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	return made
}

type request struct {
	Configuration     *configuration `json:"configuration"`
	ID                int     `json:"id"`
	Op                string  `json:"op"`
	PC                string  `json:"pc"`
	Ch                string  `json:"ch"`
	Type              string  `json:"type"`
	SDP               string  `json:"sdp"`
	ICERestart        bool    `json:"iceRestart"`
	Candidate         *string `json:"candidate"`
	SDPMid            *string `json:"sdpMid"`
	SDPMLineIndex     *uint16 `json:"sdpMLineIndex"`
	UsernameFragment  *string `json:"usernameFragment"`
	Label             string  `json:"label"`
	Ordered           *bool   `json:"ordered"`
	MaxRetransmits    *uint16 `json:"maxRetransmits"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime"`
	Protocol          *string `json:"protocol"`
	Negotiated        *bool   `json:"negotiated"`
	ChannelID         *uint16 `json:"channelId"`
	Mode              string  `json:"mode"`
	Count             int     `json:"count"`
	Kind              string  `json:"kind"`
	Direction         string  `json:"direction"`
	Data              string  `json:"data"`
	Size              int     `json:"size"`
	First             int     `json:"first"`
}

type failure struct{ name, message string }

func (f failure) Error() string { return f.message }

func notFound(what, name string) error { return failure{"NotFoundError", "no " + what + " " + name} }

var (
	outMu sync.Mutex
	api   *webrtc.API

	peersMu sync.Mutex
	peers   = map[string]*peer{}
)

func emit(line object) {
	encoded, _ := json.Marshal(line)
	outMu.Lock()
	defer outMu.Unlock()
	_, _ = os.Stdout.Write(append(encoded, '\n'))
}

// A peer connection with its channels.
type peer struct {
	name string
	pc   *webrtc.PeerConnection

	mu                        sync.Mutex
	closed                    bool
	incoming                  int
	channels                  map[string]*channel
	sounds, pictures, altered int64
	sent                      []byte
	layers                    map[string]int
}

func (p *peer) emit(event string, members object) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return
	}
	members["event"], members["pc"] = event, p.name
	emit(members)
}

// A data channel and how its messages are reported.
type channel struct {
	peer *peer
	name string
	dc   *webrtc.DataChannel
	low  chan struct{}
	gone chan struct{}
	once sync.Once

	mu     sync.Mutex
	mode   string
	wanted int
	count  int
	bytes  int
	sum    uint32
}

func newChannel(p *peer, name string, dc *webrtc.DataChannel, announce bool) *channel {
	c := &channel{peer: p, name: name, dc: dc, mode: "each", low: make(chan struct{}, 1), gone: make(chan struct{})}
	p.mu.Lock()
	p.channels[name] = c
	p.mu.Unlock()
	if announce {
		c.emit("channel", c.members())
	}
	dc.OnOpen(func() {
		// Pion forgets what was set on an incoming channel before it is open.
		dc.SetBufferedAmountLowThreshold(highWater / 4)
		dc.OnBufferedAmountLow(c.wake)
		c.emit("open", object{"channelId": dc.ID()})
	})
	dc.OnClose(func() { c.once.Do(func() { close(c.gone); c.emit("close", object{}) }) })
	dc.OnMessage(c.received)
	return c
}

func (c *channel) wake() {
	select {
	case c.low <- struct{}{}:
	default:
	}
}

func (c *channel) emit(event string, members object) {
	members["ch"] = c.name
	c.peer.emit(event, members)
}

func (c *channel) members() object {
	return object{
		"label": c.dc.Label(), "protocol": c.dc.Protocol(), "ordered": c.dc.Ordered(),
		"maxRetransmits": c.dc.MaxRetransmits(), "maxPacketLifeTime": c.dc.MaxPacketLifeTime(),
		"negotiated": c.dc.Negotiated(), "channelId": c.dc.ID(),
	}
}

func (c *channel) received(message webrtc.DataChannelMessage) {
	kind := "binary"
	if message.IsString {
		kind = "text"
	}
	c.mu.Lock()
	mode := c.mode
	switch mode {
	case "tally":
		head := make([]byte, 5)
		head[0] = kind[0]
		binary.BigEndian.PutUint32(head[1:], uint32(len(message.Data)))
		c.sum = crc32.Update(c.sum, crc32.IEEETable, head)
		c.sum = crc32.Update(c.sum, crc32.IEEETable, message.Data)
		c.count++
		c.bytes += len(message.Data)
		complete, members := c.count == c.wanted, object{"count": c.count, "bytes": c.bytes, "crc32": c.sum}
		c.mu.Unlock()
		if complete {
			c.emit("tally", members)
		}
		return
	default:
		c.mu.Unlock()
	}
	if mode == "echo" {
		_ = c.transmit(kind, message.Data)
		return
	}
	members := object{"kind": kind, "size": len(message.Data), "crc32": crc32.ChecksumIEEE(message.Data)}
	if len(message.Data) <= 256 {
		members["data"] = base64.StdEncoding.EncodeToString(message.Data)
	}
	c.emit("message", members)
}

func (c *channel) transmit(kind string, payload []byte) error {
	if kind == "text" {
		return c.dc.SendText(string(payload))
	}
	return c.dc.Send(payload)
}

func (c *channel) sendPattern(r *request) error {
	for number := r.First; number < r.First+r.Count; number++ {
		for c.dc.BufferedAmount() > highWater && c.dc.ReadyState() == webrtc.DataChannelStateOpen {
			select {
			case <-c.low:
			case <-c.gone:
			}
		}
		if err := c.transmit(r.Kind, pattern(r.Kind, number, r.Size)); err != nil {
			return err
		}
	}
	return nil
}

func pattern(kind string, number, size int) []byte {
	payload := make([]byte, size)
	for i := range payload {
		value := number*31 + i*7 + (i>>8)*13
		if kind == "text" {
			payload[i] = byte(32 + value%95)
		} else {
			payload[i] = byte(value)
		}
	}
	if kind == "text" && size >= 8 {
		copy(payload, fmt.Sprintf("%08d", number))
	} else if kind == "binary" && size >= 4 {
		binary.BigEndian.PutUint32(payload, uint32(number))
	}
	return payload
}

func find(r *request) (*peer, error) {
	peersMu.Lock()
	defer peersMu.Unlock()
	if p, ok := peers[r.PC]; ok {
		return p, nil
	}
	return nil, notFound("peer", r.PC)
}

func findChannel(r *request) (*channel, error) {
	p, err := find(r)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.channels[r.Ch]; ok {
		return c, nil
	}
	return nil, notFound("channel", r.Ch)
}

func createPeer(name string, wanted *configuration) error {
	maker, err := wanted.api()
	if err != nil {
		return err
	}
	pc, err := maker.NewPeerConnection(wanted.translate())
	if err != nil {
		return err
	}
	p := &peer{name: name, pc: pc, channels: map[string]*channel{}, layers: map[string]int{}}
	state := func(of, value string) { p.emit("state", object{"of": of, "value": value}) }
	pc.OnSignalingStateChange(func(s webrtc.SignalingState) { state("signaling", s.String()) })
	pc.OnICEGatheringStateChange(func(s webrtc.ICEGathererState) {
		value := map[string]string{"new": "new", "gathering": "gathering", "complete": "complete"}[s.String()]
		if value != "" {
			state("gathering", value)
		}
	})
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) { state("ice", s.String()) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { state("connection", s.String()) })
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.receiveMedia(remote) })
	pc.OnNegotiationNeeded(func() { p.emit("negotiationneeded", object{}) })
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			p.emit("candidate", object{"candidate": nil})
			return
		}
		init := candidate.ToJSON()
		p.emit("candidate", object{
			"candidate": init.Candidate, "sdpMid": init.SDPMid, "sdpMLineIndex": init.SDPMLineIndex,
			"usernameFragment": init.UsernameFragment,
		})
	})
	pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		p.mu.Lock()
		p.incoming++
		name := fmt.Sprintf("in%d", p.incoming)
		p.mu.Unlock()
		newChannel(p, name, dc, true)
	})
	peersMu.Lock()
	peers[name] = p
	peersMu.Unlock()
	return nil
}

func (p *peer) counter(kind string) *int64 {
	if kind == "audio" {
		return &p.sounds
	}
	return &p.pictures
}

// Counts what comes, and whether it is what was sent.
func (p *peer) receiveMedia(remote *webrtc.TrackRemote) {
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		atomic.AddInt64(p.counter(remote.Kind().String()), 1)
		p.mu.Lock()
		size := len(p.sent)
		if rid := remote.RID(); rid != "" {
			p.layers[rid]++
		}
		if received := packet.Payload; size > 0 && (len(received) < size || received[len(received)-1] != p.sent[size-1]) {
			atomic.AddInt64(&p.altered, 1)
		}
		p.mu.Unlock()
	}
}

func (p *peer) media(kind string) object {
	p.mu.Lock()
	defer p.mu.Unlock()
	layers := []object{}
	for rid, count := range p.layers {
		layers = append(layers, object{"rid": rid, "frames": count})
	}
	return object{
		"frames": atomic.LoadInt64(p.counter(kind)), "altered": atomic.LoadInt64(&p.altered), "layers": layers,
	}
}

// Sends frames that no decoder would take, which come back.
func (p *peer) sendMedia(kind string) error {
	capability, interval := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, 33*time.Millisecond
	if kind == "audio" {
		capability, interval = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, 20*time.Millisecond
	}
	track, err := webrtc.NewTrackLocalStaticSample(capability, kind, "pion")
	if err != nil {
		return err
	}
	sender, err := p.pc.AddTrack(track)
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(buffer); err != nil {
				return
			}
		}
	}()
	payload := make([]byte, 900)
	for index := range payload {
		payload[index] = byte(index * 7)
	}
	payload[0] = 0x10
	p.mu.Lock()
	p.sent = payload
	p.mu.Unlock()
	go func() {
		for range time.Tick(interval) {
			if track.WriteSample(media.Sample{Data: payload, Duration: interval}) != nil ||
				p.pc.ConnectionState() == webrtc.PeerConnectionStateClosed {
				return
			}
		}
	}()
	return nil
}

func (p *peer) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	// Pion reports here that the other side was faster; the connection is closed all the same.
	_ = p.pc.Close()
}

func description(d *webrtc.SessionDescription) object {
	return object{"type": d.Type.String(), "sdp": d.SDP}
}

// Whether an operation may wait, so that it must not hold up those behind it.
func (r *request) mayWait() bool { return r.Op == "sendPattern" || r.Op == "closePeer" }

func handle(r *request) (object, error) { //nolint:gocyclo
	switch r.Op {
	case "hello":
		return object{"name": "pion", "version": "3", "features": []string{
			"trickle", "iceRestart", "negotiationneeded", "selectedPair", "maxSend=65535", "maxReceive=65535",
		}}, nil
	case "createPeer":
		return object{}, createPeer(r.PC, r.Configuration)
	case "send", "sendPattern", "receive", "closeChannel", "getChannel":
		c, err := findChannel(r)
		if err != nil {
			return nil, err
		}
		return c.handle(r)
	}
	p, err := find(r)
	if err != nil {
		return nil, err
	}
	pc := p.pc
	switch r.Op {
	case "closePeer":
		peersMu.Lock()
		delete(peers, r.PC)
		peersMu.Unlock()
		p.close()
		return object{}, nil
	case "createOffer":
		offer, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: r.ICERestart})
		if err != nil {
			return nil, err
		}
		return description(&offer), nil
	case "createAnswer":
		answer, err := pc.CreateAnswer(nil)
		if err != nil {
			return nil, err
		}
		return description(&answer), nil
	case "setLocalDescription":
		return object{}, pc.SetLocalDescription(webrtc.SessionDescription{Type: webrtc.NewSDPType(r.Type), SDP: r.SDP})
	case "setRemoteDescription":
		return object{}, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.NewSDPType(r.Type), SDP: r.SDP})
	case "addIceCandidate":
		init := webrtc.ICECandidateInit{
			SDPMid: r.SDPMid, SDPMLineIndex: r.SDPMLineIndex, UsernameFragment: r.UsernameFragment,
		}
		if r.Candidate != nil {
			init.Candidate = *r.Candidate
		}
		return object{}, pc.AddICECandidate(init)
	case "getLocalDescription":
		if local := pc.LocalDescription(); local != nil {
			return description(local), nil
		}
		return nil, failure{"InvalidStateError", "no local description"}
	case "createDataChannel":
		dc, err := pc.CreateDataChannel(r.Label, &webrtc.DataChannelInit{
			Ordered: r.Ordered, MaxPacketLifeTime: r.MaxPacketLifeTime, MaxRetransmits: r.MaxRetransmits,
			Protocol: r.Protocol, Negotiated: r.Negotiated, ID: r.ChannelID,
		})
		if err != nil {
			return nil, err
		}
		newChannel(p, r.Ch, dc, false)
		return object{}, nil
	case "sendMedia":
		return object{}, p.sendMedia(r.Kind)
	case "getMedia":
		return p.media(r.Kind), nil
	case "addTransceiver":
		_, err := pc.AddTransceiverFromKind(
			webrtc.NewRTPCodecType(r.Kind),
			webrtc.RTPTransceiverInit{Direction: webrtc.NewRTPTransceiverDirection(r.Direction)},
		)
		return object{}, err
	case "getTransceivers":
		transceivers := []object{}
		for _, t := range pc.GetTransceivers() {
			transceivers = append(transceivers, object{
				"kind": t.Kind().String(), "mid": t.Mid(), "direction": t.Direction().String(),
			})
		}
		return object{"transceivers": transceivers}, nil
	case "getState":
		return object{
			"signaling": pc.SignalingState().String(), "gathering": pc.ICEGatheringState().String(),
			"ice": pc.ICEConnectionState().String(), "connection": pc.ConnectionState().String(),
		}, nil
	case "getStats":
		return stats(pc), nil
	}
	return nil, notFound("operation", r.Op)
}

func (c *channel) handle(r *request) (object, error) {
	switch r.Op {
	case "send":
		payload := []byte(r.Data)
		if r.Kind == "binary" {
			decoded, err := base64.StdEncoding.DecodeString(r.Data)
			if err != nil {
				return nil, err
			}
			payload = decoded
		}
		return object{}, c.transmit(r.Kind, payload)
	case "sendPattern":
		return object{}, c.sendPattern(r)
	case "receive":
		c.mu.Lock()
		c.mode, c.wanted, c.count, c.bytes, c.sum = r.Mode, r.Count, 0, 0, 0
		c.mu.Unlock()
		return object{}, nil
	case "closeChannel":
		return object{}, c.dc.Close()
	default:
		members := c.members()
		members["readyState"], members["bufferedAmount"] = c.dc.ReadyState().String(), c.dc.BufferedAmount()
		return members, nil
	}
}

func stats(pc *webrtc.PeerConnection) object {
	pair, err := pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return object{"selectedPair": nil}
	}
	side := func(candidate *webrtc.ICECandidate) object {
		return object{
			"type": candidate.Typ.String(), "protocol": candidate.Protocol.String(),
			"address": candidate.Address, "port": candidate.Port,
		}
	}
	return object{"selectedPair": object{"local": side(pair.Local), "remote": side(pair.Remote)}}
}

func answer(r *request) {
	result, err := handle(r)
	if err == nil {
		emit(object{"id": r.ID, "ok": result})
		return
	}
	name := "Error"
	if f, ok := err.(failure); ok { //nolint:errorlint
		name = f.name
	}
	emit(object{"id": r.ID, "error": object{"name": name, "message": err.Error()}})
}

func main() {
	api = newAPI(func(*webrtc.SettingEngine) {})

	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		r := &request{}
		if err := json.Unmarshal(line, r); err != nil {
			fmt.Fprintln(os.Stderr, "not a request:", err)
			continue
		}
		if r.mayWait() {
			go answer(r)
		} else {
			answer(r)
		}
	}
	peersMu.Lock()
	defer peersMu.Unlock()
	for _, p := range peers {
		p.close()
	}
}
