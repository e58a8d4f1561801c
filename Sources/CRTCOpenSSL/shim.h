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
