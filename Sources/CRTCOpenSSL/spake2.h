// SPAKE2 over P-256 (RTCCrypto): the arithmetic of RFC 9382 on OpenSSL's curves.
#ifndef CRTC_OPENSSL_SPAKE2_H
#define CRTC_OPENSSL_SPAKE2_H

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdint.h>

enum { crtc_p256_scalar_size = 32, crtc_p256_point_size = 65 };

/// What one computation needs, freed as a whole.
typedef struct {
    EC_GROUP *group;
    BN_CTX *numbers;
    BIGNUM *first;
    BIGNUM *second;
    EC_POINT *left;
    EC_POINT *right;
} crtc_p256;

static inline void crtc_p256_free(crtc_p256 *state) {
    BN_clear_free(state->first);
    BN_clear_free(state->second);
    EC_POINT_clear_free(state->left);
    EC_POINT_clear_free(state->right);
    BN_CTX_free(state->numbers);
    EC_GROUP_free(state->group);
}

static inline int crtc_p256_create(crtc_p256 *state) {
    state->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    state->numbers = BN_CTX_secure_new();
    state->first = BN_new();
    state->second = BN_new();
    state->left = state->group == NULL ? NULL : EC_POINT_new(state->group);
    state->right = state->group == NULL ? NULL : EC_POINT_new(state->group);
    if (state->numbers != NULL && state->first != NULL && state->second != NULL && state->left != NULL
        && state->right != NULL) {
        BN_set_flags(state->first, BN_FLG_CONSTTIME);
        BN_set_flags(state->second, BN_FLG_CONSTTIME);
        return 1;
    }
    crtc_p256_free(state);
    return 0;
}

/// A number from 1 to the order less 1, of OpenSSL's private generator; returns 1 on success.
static inline int crtc_p256_random_scalar(uint8_t *scalar) {
    crtc_p256 state;
    int succeeded = crtc_p256_create(&state);
    if (!succeeded) return 0;
    do {
        succeeded = BN_priv_rand_range(state.first, EC_GROUP_get0_order(state.group));
    } while (succeeded && BN_is_zero(state.first));
    succeeded = succeeded && BN_bn2binpad(state.first, scalar, crtc_p256_scalar_size) == crtc_p256_scalar_size;
    crtc_p256_free(&state);
    return succeeded;
}

/// `bytes`, big endian, modulo the group's order; returns 1 on success.
static inline int crtc_p256_reduce(const uint8_t *bytes, size_t size, uint8_t *scalar) {
    crtc_p256 state;
    int succeeded = crtc_p256_create(&state);
    if (!succeeded) return 0;
    succeeded = BN_bin2bn(bytes, (int)size, state.first) != NULL
        && BN_nnmod(state.second, state.first, EC_GROUP_get0_order(state.group), state.numbers)
        && BN_bn2binpad(state.second, scalar, crtc_p256_scalar_size) == crtc_p256_scalar_size;
    crtc_p256_free(&state);
    return succeeded;
}

/// scalar*G + w*constant, uncompressed; returns 1 on success. Products are computed one by one: only then OpenSSL's
/// multiplication takes a time that tells nothing of the scalar.
static inline int crtc_spake2_share(
    const uint8_t *scalar, const uint8_t *w, const uint8_t *constant, size_t constantSize, uint8_t *share
) {
    crtc_p256 state;
    int succeeded = crtc_p256_create(&state);
    if (!succeeded) return 0;
    succeeded = BN_bin2bn(scalar, crtc_p256_scalar_size, state.first) != NULL
        && BN_bin2bn(w, crtc_p256_scalar_size, state.second) != NULL
        && EC_POINT_oct2point(state.group, state.right, constant, constantSize, state.numbers)
        && EC_POINT_mul(state.group, state.left, state.first, NULL, NULL, state.numbers)
        && EC_POINT_mul(state.group, state.right, NULL, state.right, state.second, state.numbers)
        && EC_POINT_add(state.group, state.left, state.left, state.right, state.numbers)
        && EC_POINT_point2oct(
               state.group, state.left, POINT_CONVERSION_UNCOMPRESSED, share, crtc_p256_point_size, state.numbers
           ) == crtc_p256_point_size;
    crtc_p256_free(&state);
    return succeeded;
}

/// scalar*(peer - w*constant), uncompressed; returns 0 if `peer` is no point of the curve, or the result is at infinity.
static inline int crtc_spake2_secret(
    const uint8_t *scalar, const uint8_t *w, const uint8_t *constant, size_t constantSize, const uint8_t *peer,
    size_t peerSize, uint8_t *secret
) {
    crtc_p256 state;
    int succeeded = crtc_p256_create(&state);
    if (!succeeded) return 0;
    succeeded = peerSize == crtc_p256_point_size && peer[0] == POINT_CONVERSION_UNCOMPRESSED
        && BN_bin2bn(scalar, crtc_p256_scalar_size, state.first) != NULL
        && BN_bin2bn(w, crtc_p256_scalar_size, state.second) != NULL
        && EC_POINT_oct2point(state.group, state.left, peer, peerSize, state.numbers)
        && EC_POINT_is_on_curve(state.group, state.left, state.numbers) == 1
        && EC_POINT_oct2point(state.group, state.right, constant, constantSize, state.numbers)
        && EC_POINT_mul(state.group, state.right, NULL, state.right, state.second, state.numbers)
        && EC_POINT_invert(state.group, state.right, state.numbers)
        && EC_POINT_add(state.group, state.left, state.left, state.right, state.numbers)
        && EC_POINT_mul(state.group, state.left, NULL, state.left, state.first, state.numbers)
        && EC_POINT_is_at_infinity(state.group, state.left) == 0
        && EC_POINT_point2oct(
               state.group, state.left, POINT_CONVERSION_UNCOMPRESSED, secret, crtc_p256_point_size, state.numbers
           ) == crtc_p256_point_size;
    crtc_p256_free(&state);
    return succeeded;
}

#endif
