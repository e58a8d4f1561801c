// SRTP (RTCSRTP): HMAC-SHA1 whose key was absorbed once.
#ifndef CRTC_OPENSSL_SRTP_H
#define CRTC_OPENSSL_SRTP_H

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

// Copying two states takes 60 to 90 ns less for each packet than EVP_MAC, which calls the same functions in the end; that is
// half of what an audio packet's code costs.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

/// The states of SHA-1 behind HMAC's inner and outer key block (RFC 2104 section 4).
typedef struct {
    SHA_CTX inner;
    SHA_CTX outer;
} crtc_hmac_sha1;

/// Absorbs a key of at most 64 bytes; returns 1 on success.
static inline int crtc_hmac_sha1_set_key(crtc_hmac_sha1 *state, const uint8_t *key, size_t size) {
    uint8_t block[SHA_CBLOCK];
    int succeeded;
    if (size > sizeof block) return 0;
    memset(block, 0x36, sizeof block);
    for (size_t i = 0; i < size; i++) block[i] ^= key[i];
    succeeded = SHA1_Init(&state->inner) && SHA1_Update(&state->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    succeeded = SHA1_Init(&state->outer) && SHA1_Update(&state->outer, block, sizeof block) && succeeded;
    OPENSSL_cleanse(block, sizeof block);
    return succeeded;
}

/// The code of `bytes` followed by `suffix`, which may be empty: 20 bytes at `code`.
static inline void crtc_hmac_sha1_compute(
    const crtc_hmac_sha1 *state, const void *bytes, size_t count, const void *suffix, size_t suffixCount, uint8_t *code
) {
    SHA_CTX context = state->inner;
    SHA1_Update(&context, bytes, count);
    if (suffixCount > 0) SHA1_Update(&context, suffix, suffixCount);
    SHA1_Final(code, &context);
    context = state->outer;
    SHA1_Update(&context, code, SHA_DIGEST_LENGTH);
    SHA1_Final(code, &context);
}

#pragma clang diagnostic pop

#endif
