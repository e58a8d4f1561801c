// Two peer connections that reach each other through a TURN server only, and a data channel between them.
//
//	pion-turn URL USERNAME CREDENTIAL COUNT
//
// Sends so many messages, has each sent back, and prints how many came back unaltered.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pion/webrtc"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func peer() *webrtc.PeerConnection {
	connection, err := webrtc.NewPeerConnection(webrtc.Configuration{
		ICEServers: []webrtc.ICEServer{{
			URLs: []string{os.Args[1]}, Username: os.Args[2], Credential: os.Args[3],
		}},
		ICETransportPolicy: webrtc.ICETransportPolicyRelay,
	})
	fail(err)
	return connection
}

// describe sets a description and returns it with all its candidates.
func describe(connection *webrtc.PeerConnection, description webrtc.SessionDescription) webrtc.SessionDescription {
	gathered := webrtc.GatheringCompletePromise(connection)
	fail(connection.SetLocalDescription(description))
	<-gathered
	return *connection.LocalDescription()
}

func main() {
	count, err := strconv.Atoi(os.Args[4])
	fail(err)
	offerer, answerer := peer(), peer()
	answerer.OnDataChannel(func(channel *webrtc.DataChannel) {
		channel.OnMessage(func(message webrtc.DataChannelMessage) { fail(channel.SendText(string(message.Data))) })
	})
	channel, err := offerer.CreateDataChannel("echo", nil)
	fail(err)
	var mutex sync.Mutex
	received := 0
	done := make(chan struct{})
	channel.OnOpen(func() {
		for i := 0; i < count; i++ {
			fail(channel.SendText(strconv.Itoa(i)))
		}
	})
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		mutex.Lock()
		defer mutex.Unlock()
		if string(message.Data) == strconv.Itoa(received) {
			received++
		}
		if received == count {
			close(done)
		}
	})
	offer, err := offerer.CreateOffer(nil)
	fail(err)
	fail(answerer.SetRemoteDescription(describe(offerer, offer)))
	answer, err := answerer.CreateAnswer(nil)
	fail(err)
	fail(offerer.SetRemoteDescription(describe(answerer, answer)))
	select {
	case <-done:
	case <-time.After(30 * time.Second):
	}
	mutex.Lock()
	fmt.Println(received)
	mutex.Unlock()
	_ = offerer.Close()
	_ = answerer.Close()
}
