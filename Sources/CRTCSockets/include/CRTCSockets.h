// Datagram sockets in batches, for Swift: what Linux has beyond POSIX (epoll, recvmmsg, sendmmsg, UDP segment offload),
// which Swift's import of the C library leaves out. Elsewhere every function returns -ENOSYS.
#ifndef CRTC_SOCKETS_H
#define CRTC_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An IP address and a port in host byte order; `family` is 4 or 6, IPv4 is in the low bits of `low`.
typedef struct {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint8_t family;
} crtc_address;

// MARK: Sockets. All are non-blocking and close on exec; results below zero are -errno.

typedef struct {
    bool reuse_port;
    bool receive_offload;  // The kernel puts datagrams together.
    bool report_errors;    // ICMP errors go to the error queue.
    int receive_buffer;    // Bytes; 0 for the system's default.
    int send_buffer;
} crtc_udp_options;

int crtc_udp_open(const crtc_address *local, crtc_udp_options options, crtc_address *bound);
void crtc_close(int fd);
// Whether IPv4 and IPv6 datagrams from now on may be fragmented.
void crtc_udp_set_dont_fragment(int fd, int family, bool dont_fragment);

typedef struct {
    crtc_address destination;
    uint8_t type;
    uint8_t code;
    uint32_t info;  // The next hop's MTU.
} crtc_icmp;

// Takes one entry off the error queue: 1 if it was an ICMP error, 0 if the queue is empty, -EAGAIN if it was something else.
int crtc_udp_next_error(int fd, crtc_icmp *error);

// Lets the process have as many files as it may; the limit that is now in force.
long crtc_raise_file_limit(void);

// Microseconds of processor time that the calling thread has used.
int64_t crtc_thread_cpu_microseconds(void);

// MARK: Waiting.

typedef struct {
    uint64_t tag;
    bool readable;
    bool failed;
} crtc_event;

int crtc_poller_open(void);
int crtc_poller_add(int poller, int fd, uint64_t tag);
// Waits `milliseconds` at most, for ever below zero; the number of events.
int crtc_poller_wait(int poller, crtc_event *events, int capacity, int milliseconds);

int crtc_waker_open(void);
void crtc_waker_wake(int fd);
void crtc_waker_clear(int fd);

// MARK: Receiving.

typedef struct crtc_arena crtc_arena;

typedef struct {
    uint8_t *bytes;
    uint32_t count;
    uint32_t segment;  // The size of each datagram that the kernel put together but the last; `count` if it is one.
    crtc_address from;
} crtc_datagrams;

// Room for `slots` reads, each of as much as the kernel puts together.
crtc_arena *crtc_arena_new(int slots);
void crtc_arena_free(crtc_arena *arena);
// Reads into the slots from `first`, `limit` at most; how many were filled.
int crtc_arena_receive(crtc_arena *arena, int fd, int first, int limit);
crtc_datagrams crtc_arena_at(const crtc_arena *arena, int slot);

// MARK: Sending.

typedef struct crtc_sender crtc_sender;

// A sender of up to `messages` system messages at once.
crtc_sender *crtc_sender_new(int messages);
void crtc_sender_free(crtc_sender *sender);
bool crtc_sender_is_empty(const crtc_sender *sender);
// Adds a datagram of head, body and padding; head is copied (64 bytes at most), body is not. False if there is no more room:
// flush first.
bool crtc_sender_add(
    crtc_sender *sender, const crtc_address *to, const void *head, size_t head_count, const void *body, size_t body_count,
    size_t padding);
// Sends everything from `fd`; how many datagrams could not be sent.
int crtc_sender_flush(crtc_sender *sender, int fd);

#endif
