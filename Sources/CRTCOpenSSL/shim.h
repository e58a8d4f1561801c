// OpenSSL for Swift: its headers, and functions for the macros that do not import.
#ifndef CRTC_OPENSSL_SHIM_H
#define CRTC_OPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// MARK: DTLS (RTCDTLS)

#include <openssl/dtls1.h>
#include <openssl/srtp.h>
#include <string.h>
#include <time.h>

static const uint64_t crtc_op_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t crtc_op_no_ticket = SSL_OP_NO_TICKET;
static const uint64_t crtc_op_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t crtc_op_no_query_mtu = SSL_OP_NO_QUERY_MTU;
static const uint64_t crtc_op_server_preference = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t crtc_op_prioritize_chacha = SSL_OP_PRIORITIZE_CHACHA;

static const int crtc_dtls12_version = 0xFEFD;
static const int crtc_dtls13_version = 0xFEFC;

static inline EVP_PKEY *crtc_generate_p256(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); }

static inline EVP_PKEY *crtc_generate_rsa(size_t bits) { return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits); }

static inline int64_t crtc_seconds_since_epoch(void) { return (int64_t)time(NULL); }

static inline int crtc_ctx_set_min_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_min_proto_version(ctx, version);
}

static inline int crtc_ctx_set_max_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_max_proto_version(ctx, version);
}

static inline int crtc_ctx_set_groups(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}

static inline int crtc_ctx_set_signature_algorithms(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(ctx, list) == 1 && (int)SSL_CTX_set1_client_sigalgs_list(ctx, list) == 1;
}

static inline int crtc_ctx_set_max_send_fragment(SSL_CTX *ctx, long bytes) {
    return (int)SSL_CTX_set_max_send_fragment(ctx, bytes);
}

static inline void crtc_ctx_set_session_cache_off(SSL_CTX *ctx) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

static inline void crtc_ctx_set_max_certificate_list(SSL_CTX *ctx, long bytes) {
    SSL_CTX_set_max_cert_list(ctx, bytes);
}

static inline int crtc_ssl_set_mtu(SSL *ssl, long bytes) { return (int)SSL_set_mtu(ssl, bytes); }

static inline void crtc_ssl_set_retry_verify(SSL *ssl) { SSL_set_retry_verify(ssl); }

/// Microseconds until the retransmission timer fires; -1 when it is not running.
static inline int64_t crtc_dtls_timeout_microseconds(SSL *ssl) {
    struct timeval left;
    if (DTLSv1_get_timeout(ssl, &left) != 1) return -1;
    return (int64_t)left.tv_sec * 1000000 + (int64_t)left.tv_usec;
}

static inline int crtc_dtls_handle_timeout(SSL *ssl) { return (int)DTLSv1_handle_timeout(ssl); }

/// Whether the connection's state machine ended in an error. SSL_get_error cannot tell: it reads the thread's error
/// queue, where a dropped record may have left something too.
static inline _Bool crtc_ssl_is_in_error(const SSL *ssl) { return strcmp(SSL_state_string(ssl), "SSLERR") == 0; }

/// The name of the key exchange's group; NULL when it is not known.
static inline const char *crtc_ssl_group_name(SSL *ssl) {
    int identifier = (int)SSL_get_negotiated_group(ssl);
    if (identifier != 0 && identifier != NID_undef) return SSL_group_to_name(ssl, identifier);
    return NULL;
}

static inline int crtc_ssl_copy_peer_group_name(SSL *ssl, char *name, size_t size) {
    EVP_PKEY *key = NULL;
    size_t length = 0;
    int found = 0;
    if (SSL_get_peer_tmp_key(ssl, &key) != 1 || key == NULL) return 0;
    if (EVP_PKEY_get_group_name(key, name, size, &length) == 1) {
        found = 1;
    } else if (EVP_PKEY_get0_type_name(key) != NULL) {
        OPENSSL_strlcpy(name, EVP_PKEY_get0_type_name(key), size);
        found = 1;
    }
    EVP_PKEY_free(key);
    return found;
}

static inline _Bool crtc_ssl_has_extended_master_secret(SSL *ssl) { return SSL_get_extms_support(ssl) == 1; }

static inline int crtc_certificates_count(const STACK_OF(X509) *certificates) {
    return certificates == NULL ? 0 : sk_X509_num(certificates);
}

static inline X509 *crtc_certificates_at(const STACK_OF(X509) *certificates, int index) {
    return sk_X509_value(certificates, index);
}

static inline SSL *crtc_store_context_ssl(X509_STORE_CTX *context) {
    return (SSL *)X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static inline long crtc_bio_memory(BIO *bio, const char **bytes) {
    return BIO_get_mem_data(bio, (char **)bytes);
}

static inline void crtc_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void crtc_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }


// RTCCrypto: HMAC.

#include <openssl/core_names.h>
#include <openssl/params.h>

// Keys `context` for HMAC over the named digest; returns 1 on success. An empty key may come without a pointer.
static inline int crtc_hmac_prepare(EVP_MAC_CTX *context, const char *digest, const void *key, size_t keySize) {
    OSSL_PARAM parameters[2];
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0);
    parameters[1] = OSSL_PARAM_construct_end();
    return EVP_MAC_init(context, (const unsigned char *)(key != NULL ? key : ""), keySize, parameters);
}

#endif
