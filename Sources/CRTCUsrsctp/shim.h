// usrsctp for Swift: its header, and functions for what does not import (variadic callbacks, unions by value, errno,
// structures with trailing arrays) or needs the processor's own instructions (CRC32c).
#ifndef CRTC_USRSCTP_SHIM_H
#define CRTC_USRSCTP_SHIM_H

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <usrsctp.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

typedef int (*crtc_usrsctp_output)(void *address, void *buffer, size_t length, uint8_t tos, uint8_t set_df);
typedef void (*crtc_usrsctp_upcall)(struct socket *socket, void *argument, int flags);

// usrsctp's initialiser takes a variadic function, which Swift cannot name.
static inline void crtc_usrsctp_init(crtc_usrsctp_output output) {
    usrsctp_init_nothreads(0, output, NULL);
}

// A non-blocking one-to-one socket that is read with crtc_usrsctp_receive; NULL when there is no memory.
static inline struct socket *crtc_usrsctp_socket(void) {
    struct socket *socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (socket != NULL && usrsctp_set_non_blocking(socket, 1) != 0) {
        usrsctp_close(socket);
        return NULL;
    }
    return socket;
}

static inline struct sockaddr_conn crtc_usrsctp_address(void *handle, uint16_t port) {
    struct sockaddr_conn address;
    memset(&address, 0, sizeof(address));
    address.sconn_family = AF_CONN;
#if defined(__APPLE__)
    address.sconn_len = sizeof(address);
#endif
    address.sconn_port = htons(port);
    address.sconn_addr = handle;
    return address;
}

// 0 or the error number.
static inline int crtc_usrsctp_bind(struct socket *socket, void *handle, uint16_t port) {
    struct sockaddr_conn address = crtc_usrsctp_address(handle, port);
    return usrsctp_bind(socket, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
}

// 0 or the error number; the handshake going on is no error.
static inline int crtc_usrsctp_connect(struct socket *socket, void *handle, uint16_t port) {
    struct sockaddr_conn address = crtc_usrsctp_address(handle, port);
    if (usrsctp_connect(socket, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS) return 0;
    return errno;
}

// Sends a HEARTBEAT to the peer at once: 0 or the error number.
static inline int crtc_usrsctp_demand_heartbeat(struct socket *socket, void *handle, uint16_t port) {
    struct sctp_paddrparams parameters;
    struct sockaddr_conn address = crtc_usrsctp_address(handle, port);
    memset(&parameters, 0, sizeof(parameters));
    memcpy(&parameters.spp_address, &address, sizeof(address));
    parameters.spp_flags = SPP_HB_DEMAND;
    return usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &parameters, sizeof(parameters)) == 0 ? 0
                                                                                                                  : errno;
}

// 0 or the error number.
static inline int crtc_usrsctp_set(struct socket *socket, int level, int option, const void *value, size_t size) {
    return usrsctp_setsockopt(socket, level, option, value, (socklen_t)size) == 0 ? 0 : errno;
}

// 0 or the error number. `size` is the value's room.
static inline int crtc_usrsctp_get(struct socket *socket, int option, void *value, size_t size) {
    socklen_t length = (socklen_t)size;
    return usrsctp_getsockopt(socket, IPPROTO_SCTP, option, value, &length) == 0 ? 0 : errno;
}

static inline int crtc_usrsctp_subscribe(struct socket *socket, uint16_t event) {
    struct sctp_event value;
    memset(&value, 0, sizeof(value));
    value.se_assoc_id = SCTP_ALL_ASSOC;
    value.se_type = event;
    value.se_on = 1;
    return crtc_usrsctp_set(socket, IPPROTO_SCTP, SCTP_EVENT, &value, sizeof(value));
}

// How many bytes were taken, or the error number, negated.
static inline ssize_t crtc_usrsctp_send(struct socket *socket, const void *data, size_t length, uint16_t stream,
                                        uint32_t ppid, uint16_t flags, uint16_t policy, uint32_t policy_value) {
    struct sctp_sendv_spa info;
    memset(&info, 0, sizeof(info));
    info.sendv_flags = SCTP_SEND_SNDINFO_VALID;
    info.sendv_sndinfo.snd_sid = stream;
    info.sendv_sndinfo.snd_ppid = htonl(ppid);
    info.sendv_sndinfo.snd_flags = flags;
    if (policy != SCTP_PR_SCTP_NONE) {
        info.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        info.sendv_prinfo.pr_policy = policy;
        info.sendv_prinfo.pr_value = policy_value;
    }
    ssize_t sent = usrsctp_sendv(socket, data, length, NULL, 0, &info, sizeof(info), SCTP_SENDV_SPA, 0);
    return sent >= 0 ? sent : -(ssize_t)errno;
}

struct crtc_usrsctp_received {
    uint16_t stream;
    uint16_t flags;
    uint32_t ppid;
    int message_flags;
};

// How many bytes were read, or the error number, negated.
static inline ssize_t crtc_usrsctp_receive(struct socket *socket, void *buffer, size_t length,
                                           struct crtc_usrsctp_received *received) {
    struct sctp_rcvinfo info;
    socklen_t info_length = sizeof(info);
    unsigned int info_type = 0;
    int flags = 0;
    ssize_t count = usrsctp_recvv(socket, buffer, length, NULL, NULL, &info, &info_length, &info_type, &flags);
    if (count < 0) return -(ssize_t)errno;
    received->message_flags = flags;
    if (info_type == SCTP_RECVV_RCVINFO) {
        received->stream = info.rcv_sid;
        received->flags = info.rcv_flags;
        received->ppid = ntohl(info.rcv_ppid);
    } else {
        received->stream = 0;
        received->flags = 0;
        received->ppid = 0;
    }
    return count;
}

// 0 or the error number. At most 256 streams at a time.
static inline int crtc_usrsctp_reset_streams(struct socket *socket, const uint16_t *streams, uint16_t count) {
    struct {
        struct sctp_reset_streams header;
        uint16_t list[256];
    } request;
    if (count > 256) return EINVAL;
    memset(&request.header, 0, sizeof(request.header));
    request.header.srs_assoc_id = SCTP_ALL_ASSOC;
    request.header.srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request.header.srs_number_streams = count;
    memcpy((char *)&request + offsetof(struct sctp_reset_streams, srs_stream_list), streams,
           count * sizeof(uint16_t));
    return crtc_usrsctp_set(socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, &request,
                            sizeof(struct sctp_reset_streams) + count * sizeof(uint16_t));
}

// usrsctp's timers must not run while another thread may free what they point to: packets and closes share this lock,
// the ticker holds it alone.
static inline pthread_rwlock_t *_Nonnull crtc_lock_create(void) {
    pthread_rwlock_t *lock = (pthread_rwlock_t *)malloc(sizeof(pthread_rwlock_t));
    if (lock == NULL) abort();
#if defined(__linux__) && defined(PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP)
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
#else
    pthread_rwlock_init(lock, NULL);
#endif
    return lock;
}

// Missing from the installed header, part of the library's interface all the same.
static const int32_t crtc_pluggable_cc = 0x1202;
static const int32_t crtc_end_of_record = MSG_EOR;

static inline uintptr_t crtc_current_thread(void) { return (uintptr_t)pthread_self(); }

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static inline uint32_t crtc_crc32c_hardware(const uint8_t *bytes, size_t count) {
    uint64_t crc = 0xffffffff;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; count > 0; bytes++, count--) rest = __builtin_ia32_crc32qi(rest, *bytes);
    return ~rest;
}
static inline int crtc_has_hardware_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static inline uint32_t crtc_crc32c_hardware(const uint8_t *bytes, size_t count) {
    uint32_t crc = 0xffffffff;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; count > 0; bytes++, count--) crc = __builtin_arm_crc32cb(crc, *bytes);
    return ~crc;
}
static inline int crtc_has_hardware_crc32c(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & (1 << 7)) != 0;
#else
    return 1;
#endif
}
#else
static inline uint32_t crtc_crc32c_hardware(const uint8_t *bytes, size_t count) {
    return usrsctp_crc32c((void *)bytes, count);
}
static inline int crtc_has_hardware_crc32c(void) { return 0; }
#endif

// The CRC32c of an SCTP packet whose checksum field is zero, as it stands in memory (RFC 9260 appendix A).
static inline uint32_t crtc_crc32c(const void *bytes, size_t count, int hardware) {
    return hardware ? crtc_crc32c_hardware((const uint8_t *)bytes, count) : usrsctp_crc32c((void *)bytes, count);
}

#endif
