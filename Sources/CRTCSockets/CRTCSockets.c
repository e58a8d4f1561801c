#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CRTCSockets.h"

#include <errno.h>

#ifdef __linux__

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

static socklen_t encode(const crtc_address *from, socket_address *to) {
    memset(to, 0, sizeof *to);
    if (from->family == 4) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(from->port);
        to->v4.sin_addr.s_addr = htonl((uint32_t)from->low);
        return sizeof to->v4;
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(from->port);
    to->v6.sin6_scope_id = from->scope;
    for (int i = 0; i < 8; i++) {
        to->v6.sin6_addr.s6_addr[i] = (uint8_t)(from->high >> (56 - 8 * i));
        to->v6.sin6_addr.s6_addr[8 + i] = (uint8_t)(from->low >> (56 - 8 * i));
    }
    return sizeof to->v6;
}

static void decode(const socket_address *from, crtc_address *to) {
    memset(to, 0, sizeof *to);
    if (from->any.sa_family == AF_INET) {
        to->family = 4;
        to->port = ntohs(from->v4.sin_port);
        to->low = ntohl(from->v4.sin_addr.s_addr);
        return;
    }
    to->family = 6;
    to->port = ntohs(from->v6.sin6_port);
    to->scope = from->v6.sin6_scope_id;
    for (int i = 0; i < 8; i++) {
        to->high = to->high << 8 | from->v6.sin6_addr.s6_addr[i];
        to->low = to->low << 8 | from->v6.sin6_addr.s6_addr[8 + i];
    }
}

// MARK: Sockets

static void set_option(int fd, int level, int name, int value) {
    // What the kernel cannot do is done without.
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

int crtc_udp_open(const crtc_address *local, crtc_udp_options options, crtc_address *bound) {
    bool is_v4 = local->family == 4;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (!is_v4) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (options.receive_buffer > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
    if (options.send_buffer > 0) set_option(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
    if (options.receive_offload) set_option(fd, SOL_UDP, UDP_GRO, 1);
    if (options.report_errors) {
        set_option(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_RECVERR : IPV6_RECVERR, 1);
        crtc_udp_set_dont_fragment(fd, local->family, false);
    }
    socket_address address;
    socklen_t size = encode(local, &address);
    if (bind(fd, &address.any, size) < 0) {
        int reason = errno;
        close(fd);
        return -reason;
    }
    size = sizeof address;
    if (getsockname(fd, &address.any, &size) < 0) {
        int reason = errno;
        close(fd);
        return -reason;
    }
    decode(&address, bound);
    return fd;
}

void crtc_close(int fd) { (void)close(fd); }

void crtc_udp_set_dont_fragment(int fd, int family, bool dont_fragment) {
    if (family == 4) {
        set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, dont_fragment ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
    }
}

int crtc_udp_next_error(int fd, crtc_icmp *error) {
    uint8_t control[512];
    uint8_t payload[64];
    socket_address destination;
    struct iovec part = {payload, sizeof payload};
    struct msghdr message = {
        .msg_name = &destination,
        .msg_namelen = sizeof destination,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        bool is_v4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
        bool is_v6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
        if (!is_v4 && !is_v6) continue;
        struct sock_extended_err found;
        memcpy(&found, CMSG_DATA(header), sizeof found);
        if (found.ee_origin != SO_EE_ORIGIN_ICMP && found.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
        decode(&destination, &error->destination);
        error->type = found.ee_type;
        error->code = found.ee_code;
        error->info = found.ee_errno == EMSGSIZE ? found.ee_info : 0;
        return 1;
    }
    return -EAGAIN;
}

long crtc_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return (long)limit.rlim_cur;
}

int64_t crtc_thread_cpu_microseconds(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) < 0) return 0;
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// MARK: Waiting

int crtc_poller_open(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int crtc_poller_add(int poller, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int crtc_poller_wait(int poller, crtc_event *events, int capacity, int milliseconds) {
    struct epoll_event found[256];
    int count = epoll_wait(poller, found, capacity < 256 ? capacity : 256, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].tag = found[i].data.u64;
        events[i].readable = found[i].events & EPOLLIN;
        events[i].failed = found[i].events & (EPOLLERR | EPOLLHUP);
    }
    return count;
}

int crtc_waker_open(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void crtc_waker_wake(int fd) {
    uint64_t one = 1;
    (void)!write(fd, &one, sizeof one);
}

void crtc_waker_clear(int fd) {
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

// MARK: Receiving

// What the kernel puts together at most, and a little so that slots do not all fall on the same lines of the cache.
#define SLOT_BYTES 65536
#define SLOT_STRIDE (SLOT_BYTES + 4352)
#define CONTROL_BYTES 64

struct crtc_arena {
    int slots;
    uint8_t *bytes;
    struct mmsghdr *headers;
    struct iovec *parts;
    socket_address *sources;
    uint8_t (*controls)[CONTROL_BYTES];
    crtc_datagrams *received;
};

crtc_arena *crtc_arena_new(int slots) {
    crtc_arena *arena = calloc(1, sizeof *arena);
    if (!arena) return NULL;
    arena->slots = slots;
    arena->bytes = malloc((size_t)slots * SLOT_STRIDE);
    arena->headers = calloc((size_t)slots, sizeof *arena->headers);
    arena->parts = calloc((size_t)slots, sizeof *arena->parts);
    arena->sources = calloc((size_t)slots, sizeof *arena->sources);
    arena->controls = calloc((size_t)slots, sizeof *arena->controls);
    arena->received = calloc((size_t)slots, sizeof *arena->received);
    if (!arena->bytes || !arena->headers || !arena->parts || !arena->sources || !arena->controls || !arena->received) {
        crtc_arena_free(arena);
        return NULL;
    }
    for (int i = 0; i < slots; i++) {
        arena->parts[i] = (struct iovec){arena->bytes + (size_t)i * SLOT_STRIDE, SLOT_BYTES};
        struct msghdr *header = &arena->headers[i].msg_hdr;
        header->msg_name = &arena->sources[i];
        header->msg_iov = &arena->parts[i];
        header->msg_iovlen = 1;
        header->msg_control = arena->controls[i];
    }
    return arena;
}

void crtc_arena_free(crtc_arena *arena) {
    if (!arena) return;
    free(arena->bytes);
    free(arena->headers);
    free(arena->parts);
    free(arena->sources);
    free(arena->controls);
    free(arena->received);
    free(arena);
}

static uint32_t segment_size(struct msghdr *header, uint32_t count) {
    for (struct cmsghdr *found = CMSG_FIRSTHDR(header); found; found = CMSG_NXTHDR(header, found)) {
        if (found->cmsg_level != SOL_UDP || found->cmsg_type != UDP_GRO) continue;
        int size;
        memcpy(&size, CMSG_DATA(found), sizeof size);
        if (size > 0 && (uint32_t)size < count) return (uint32_t)size;
    }
    return count;
}

int crtc_arena_receive(crtc_arena *arena, int fd, int first, int limit) {
    if (first + limit > arena->slots) limit = arena->slots - first;
    if (limit <= 0) return 0;
    for (int i = first; i < first + limit; i++) {
        arena->headers[i].msg_hdr.msg_namelen = sizeof(socket_address);
        arena->headers[i].msg_hdr.msg_controllen = CONTROL_BYTES;
        arena->headers[i].msg_hdr.msg_flags = 0;
    }
    int count = recvmmsg(fd, arena->headers + first, (unsigned)limit, MSG_DONTWAIT, NULL);
    if (count < 0) return -errno;
    for (int i = first; i < first + count; i++) {
        crtc_datagrams *received = &arena->received[i];
        received->bytes = arena->parts[i].iov_base;
        received->count = arena->headers[i].msg_len;
        received->segment = segment_size(&arena->headers[i].msg_hdr, received->count);
        decode(&arena->sources[i], &received->from);
    }
    return count;
}

crtc_datagrams crtc_arena_at(const crtc_arena *arena, int slot) { return arena->received[slot]; }

// MARK: Sending

#define SEGMENTS 52
#define BATCH_BYTES 65000
#define HEAD_BYTES 64

static const uint8_t zeros[4];

typedef struct {
    crtc_address to;
    size_t datagram;  // Bytes of each datagram but the last.
    size_t total;
    int segments;
    bool is_closed;  // A shorter datagram ended it.
    int first_part;
} outgoing;

struct crtc_sender {
    int capacity;
    int count;
    int datagrams;
    int part_count;
    bool cannot_segment;
    struct mmsghdr *headers;
    outgoing *messages;
    socket_address *targets;
    uint8_t (*controls)[CMSG_SPACE(sizeof(uint16_t))];
    struct iovec *parts;             // Three for each datagram.
    uint8_t (*heads)[HEAD_BYTES];
};

crtc_sender *crtc_sender_new(int messages) {
    crtc_sender *sender = calloc(1, sizeof *sender);
    if (!sender) return NULL;
    size_t count = (size_t)messages;
    sender->capacity = messages;
    sender->headers = calloc(count, sizeof *sender->headers);
    sender->messages = calloc(count, sizeof *sender->messages);
    sender->targets = calloc(count, sizeof *sender->targets);
    sender->controls = calloc(count, sizeof *sender->controls);
    sender->parts = calloc(count * 3, sizeof *sender->parts);
    sender->heads = calloc(count, sizeof *sender->heads);
    if (!sender->headers || !sender->messages || !sender->targets || !sender->controls || !sender->parts
        || !sender->heads) {
        crtc_sender_free(sender);
        return NULL;
    }
    return sender;
}

void crtc_sender_free(crtc_sender *sender) {
    if (!sender) return;
    free(sender->headers);
    free(sender->messages);
    free(sender->targets);
    free(sender->controls);
    free(sender->parts);
    free(sender->heads);
    free(sender);
}

bool crtc_sender_is_empty(const crtc_sender *sender) { return sender->count == 0; }

static bool is_same(const crtc_address *left, const crtc_address *right) {
    return left->low == right->low && left->high == right->high && left->port == right->port
        && left->family == right->family && left->scope == right->scope;
}

// Whether a datagram can leave in one message with those before it.
static bool joins(const crtc_sender *sender, const outgoing *last, const crtc_address *to, size_t size) {
    return !sender->cannot_segment && !last->is_closed && last->segments < SEGMENTS && size <= last->datagram && size > 0
        && last->total + size <= BATCH_BYTES && is_same(&last->to, to);
}

bool crtc_sender_add(
    crtc_sender *sender, const crtc_address *to, const void *head, size_t head_count, const void *body, size_t body_count,
    size_t padding) {
    size_t size = head_count + body_count + padding;
    if (sender->datagrams == sender->capacity || head_count > HEAD_BYTES || padding > sizeof zeros) return false;
    outgoing *message = sender->count > 0 ? &sender->messages[sender->count - 1] : NULL;
    if (!message || !joins(sender, message, to, size)) {
        message = &sender->messages[sender->count++];
        *message = (outgoing){.to = *to, .datagram = size, .first_part = sender->part_count};
    }
    message->is_closed = size < message->datagram;
    message->total += size;
    message->segments++;
    if (head_count > 0) {
        uint8_t *copy = sender->heads[sender->datagrams];
        memcpy(copy, head, head_count);
        sender->parts[sender->part_count++] = (struct iovec){copy, head_count};
    }
    if (body_count > 0) sender->parts[sender->part_count++] = (struct iovec){(void *)body, body_count};
    if (padding > 0) sender->parts[sender->part_count++] = (struct iovec){(void *)zeros, padding};
    sender->datagrams++;
    return true;
}

static void prepare(crtc_sender *sender, int index) {
    outgoing *message = &sender->messages[index];
    int end = index + 1 < sender->count ? sender->messages[index + 1].first_part : sender->part_count;
    struct msghdr *header = &sender->headers[index].msg_hdr;
    memset(header, 0, sizeof *header);
    header->msg_name = &sender->targets[index];
    header->msg_namelen = encode(&message->to, &sender->targets[index]);
    header->msg_iov = sender->parts + message->first_part;
    header->msg_iovlen = (size_t)(end - message->first_part);
    if (message->segments < 2) return;
    header->msg_control = sender->controls[index];
    header->msg_controllen = sizeof sender->controls[index];
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t size = (uint16_t)message->datagram;
    memcpy(CMSG_DATA(control), &size, sizeof size);
}

// Sends a message's datagrams one by one, where the kernel or the path does not take them together.
static int send_apart(crtc_sender *sender, int index, int fd) {
    outgoing *message = &sender->messages[index];
    struct msghdr header = sender->headers[index].msg_hdr;
    struct iovec *part = header.msg_iov;
    struct iovec *end = part + header.msg_iovlen;
    header.msg_control = NULL;
    header.msg_controllen = 0;
    int failed = 0;
    while (part < end) {
        header.msg_iov = part;
        size_t size = 0;
        while (part < end && size < message->datagram) size += (part++)->iov_len;
        header.msg_iovlen = (size_t)(part - header.msg_iov);
        if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) failed++;
    }
    return failed;
}

int crtc_sender_flush(crtc_sender *sender, int fd) {
    for (int i = 0; i < sender->count; i++) prepare(sender, i);
    int sent = 0;
    int failed = 0;
    bool has_retried = false;
    while (sent < sender->count) {
        int count = sendmmsg(
            fd, sender->headers + sent, (unsigned)(sender->count - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            sent += count;
            has_retried = false;
            continue;
        }
        if (errno == EINTR) continue;
        // An ICMP error of an earlier datagram is told by the next call, which then has sent nothing.
        if (!has_retried && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)) {
            has_retried = true;
            continue;
        }
        int segments = sender->messages[sent].segments;
        if (segments > 1 && (errno == EIO || errno == EINVAL || errno == EMSGSIZE)) {
            sender->cannot_segment = sender->cannot_segment || errno == EIO;
            failed += send_apart(sender, sent, fd);
        } else {
            failed += segments;
        }
        has_retried = false;
        sent++;
    }
    sender->count = 0;
    sender->datagrams = 0;
    sender->part_count = 0;
    return failed;
}

#else

int crtc_udp_open(const crtc_address *local, crtc_udp_options options, crtc_address *bound) { return -ENOSYS; }
void crtc_close(int fd) {}
void crtc_udp_set_dont_fragment(int fd, int family, bool dont_fragment) {}
int crtc_udp_next_error(int fd, crtc_icmp *error) { return 0; }
long crtc_raise_file_limit(void) { return -ENOSYS; }
int64_t crtc_thread_cpu_microseconds(void) { return 0; }
int crtc_poller_open(void) { return -ENOSYS; }
int crtc_poller_add(int poller, int fd, uint64_t tag) { return -ENOSYS; }
int crtc_poller_wait(int poller, crtc_event *events, int capacity, int milliseconds) { return -ENOSYS; }
int crtc_waker_open(void) { return -ENOSYS; }
void crtc_waker_wake(int fd) {}
void crtc_waker_clear(int fd) {}
crtc_arena *crtc_arena_new(int slots) { return NULL; }
void crtc_arena_free(crtc_arena *arena) {}
int crtc_arena_receive(crtc_arena *arena, int fd, int first, int limit) { return -ENOSYS; }
crtc_datagrams crtc_arena_at(const crtc_arena *arena, int slot) { return (crtc_datagrams){0}; }
crtc_sender *crtc_sender_new(int messages) { return NULL; }
void crtc_sender_free(crtc_sender *sender) {}
bool crtc_sender_is_empty(const crtc_sender *sender) { return true; }
bool crtc_sender_add(
    crtc_sender *sender, const crtc_address *to, const void *head, size_t head_count, const void *body, size_t body_count,
    size_t padding) {
    return false;
}
int crtc_sender_flush(crtc_sender *sender, int fd) { return 0; }

#endif
