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

static inline size_t crtc_ssl_copy_master_secret(SSL *ssl, unsigned char *secret, size_t size) {
    SSL_SESSION *session = SSL_get_session(ssl);
    return session == NULL ? 0 : SSL_SESSION_get_master_key(session, secret, size);
}

/// The hash function of the suite's key derivation, for example "SHA2-256"; NULL when it is not known.
static inline const char *crtc_ssl_prf_digest(SSL *ssl) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    const EVP_MD *digest = cipher == NULL ? NULL : SSL_CIPHER_get_handshake_digest(cipher);
    return digest == NULL ? NULL : EVP_MD_get0_name(digest);
}

static const int crtc_nid_aes_128_gcm = NID_aes_128_gcm;
static const int crtc_nid_aes_256_gcm = NID_aes_256_gcm;
static const int crtc_nid_chacha20_poly1305 = NID_chacha20_poly1305;

// MARK: Key derivation and authenticated encryption (RTCDTLS)

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/// The pseudo-random function of TLS 1.2 (RFC 5246 section 5); returns 1 on success.
static inline int crtc_tls12_prf(const char *digest, const void *secret, size_t secretSize, const void *seed,
                                 size_t seedSize, unsigned char *output, size_t outputSize) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[4];
    int derived;
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secret, secretSize);
    parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed, seedSize);
    parameters[3] = OSSL_PARAM_construct_end();
    derived = context != NULL && EVP_KDF_derive(context, output, outputSize, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return derived;
}

/// A cipher with its key set, for many records; NULL on failure.
static inline EVP_CIPHER_CTX *crtc_aead_create(const EVP_CIPHER *cipher, const unsigned char *key, int seals) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context != NULL && EVP_CipherInit_ex(context, cipher, NULL, key, NULL, seals) != 1) {
        EVP_CIPHER_CTX_free(context);
        return NULL;
    }
    return context;
}

/// Encrypts `size` bytes to `output` and appends the tag of 16 bytes; the nonce has 12. Returns 1 on success.
static inline int crtc_aead_seal(EVP_CIPHER_CTX *context, const unsigned char *nonce, const void *associated,
                                 int associatedSize, const void *input, int size, unsigned char *output) {
    int written = 0;
    return EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1
        && EVP_EncryptUpdate(context, NULL, &written, (const unsigned char *)associated, associatedSize) == 1
        && EVP_EncryptUpdate(context, output, &written, (const unsigned char *)input, size) == 1
        && EVP_EncryptFinal_ex(context, output + written, &written) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, output + size) == 1;
}

/// Decrypts `size` bytes that the tag follows; the nonce has 12. Returns 1 if they are authentic, and only then is `output`
/// to be used.
static inline int crtc_aead_open(EVP_CIPHER_CTX *context, const unsigned char *nonce, const void *associated,
                                 int associatedSize, const unsigned char *input, int size, unsigned char *output) {
    int written = 0;
    return EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(input + size)) == 1
        && EVP_DecryptUpdate(context, NULL, &written, (const unsigned char *)associated, associatedSize) == 1
        && EVP_DecryptUpdate(context, output, &written, input, size) == 1
        && EVP_DecryptFinal_ex(context, output + written, &written) == 1;
}

// RTCCrypto: HMAC.

// Keys `context` for HMAC over the named digest; returns 1 on success. An empty key may come without a pointer.
static inline int crtc_hmac_prepare(EVP_MAC_CTX *context, const char *digest, const void *key, size_t keySize) {
    OSSL_PARAM parameters[2];
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0);
    parameters[1] = OSSL_PARAM_construct_end();
    return EVP_MAC_init(context, (const unsigned char *)(key != NULL ? key : ""), keySize, parameters);
}

#endif
