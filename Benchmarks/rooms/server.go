// Rooms over WebSocket in Go with gorilla/websocket: the protocol of RTCRooms, without resumption and limits, to measure beside it.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const acknowledgeAfter = 16

type frame struct {
	Type     string          `json:"type"`
	Room     string          `json:"room"`
	Number   int             `json:"number"`
	To       string          `json:"to"`
	Message  json.RawMessage `json:"message"`
	Metadata json.RawMessage `json:"metadata"`
}

type member struct {
	id       string
	metadata json.RawMessage
	socket   *websocket.Conn
	mutex    sync.Mutex
	sent     int
	received int
	due      int
	timer    *time.Timer
}

var (
	mutex    sync.Mutex
	rooms    = map[string][]*member{}
	upgrader = websocket.Upgrader{ReadBufferSize: 2048, WriteBufferSize: 2048, WriteBufferPool: &sync.Pool{}}
)

func identifier() string {
	bytes := make([]byte, 16)
	rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

func (m *member) write(text string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.socket.WriteMessage(websocket.TextMessage, []byte(text))
}

func (m *member) deliver(tail string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.sent++
	m.socket.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"number":%d,%s`, m.sent, tail)))
}

func (m *member) acknowledge() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.due == 0 {
		return
	}
	m.due = 0
	m.socket.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"type":"ack","received":%d}`, m.received)))
}

func (m *member) took(number int) {
	m.mutex.Lock()
	m.received = number
	m.due++
	if m.due == 1 {
		m.timer = time.AfterFunc(time.Second, m.acknowledge)
	}
	isDue := m.due >= acknowledgeAfter
	m.mutex.Unlock()
	if isDue {
		m.timer.Stop()
		m.acknowledge()
	}
}

func join(m *member, room string) {
	mutex.Lock()
	others := append([]*member{}, rooms[room]...)
	rooms[room] = append(rooms[room], m)
	mutex.Unlock()
	list := []map[string]any{}
	for _, other := range others {
		list = append(list, map[string]any{"id": other.id, "metadata": other.metadata})
	}
	welcome, _ := json.Marshal(map[string]any{
		"type": "welcome", "member": m.id, "metadata": m.metadata, "token": identifier(), "members": list, "resumeMilliseconds": 30000,
	})
	m.write(string(welcome))
	for _, other := range others {
		other.deliver(fmt.Sprintf(`"type":"joined","member":{"id":"%s","metadata":%s}}`, m.id, m.metadata))
	}
}

func leave(m *member, room string) {
	mutex.Lock()
	left := []*member{}
	for _, other := range rooms[room] {
		if other != m {
			left = append(left, other)
		}
	}
	rooms[room] = left
	mutex.Unlock()
	for _, other := range left {
		other.deliver(fmt.Sprintf(`"type":"left","member":"%s","reason":"left"}`, m.id))
	}
}

func serve(response http.ResponseWriter, request *http.Request) {
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	m := &member{id: identifier(), socket: socket}
	room := ""
	for {
		_, bytes, err := socket.ReadMessage()
		if err != nil {
			break
		}
		var f frame
		if json.Unmarshal(bytes, &f) != nil {
			break
		}
		if f.Type == "leave" {
			break
		}
		switch f.Type {
		case "join":
			room = f.Room
			m.metadata = f.Metadata
			if m.metadata == nil {
				m.metadata = json.RawMessage("{}")
			}
			join(m, room)
		case "send":
			m.took(f.Number)
			mutex.Lock()
			members := rooms[room]
			mutex.Unlock()
			tail := fmt.Sprintf(`"type":"message","from":"%s","message":%s}`, m.id, f.Message)
			for _, other := range members {
				if other != m && (f.To == "" || f.To == other.id) {
					other.deliver(tail)
				}
			}
		}
	}
	if room != "" {
		leave(m, room)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("ws://%s/rooms\n", listener.Addr())
	http.Serve(listener, http.HandlerFunc(serve))
}
