#include "CPostQuantum.h"

#include <CCryptoBoringSSL_bytestring.h>
#include <CCryptoBoringSSL_mlkem.h>

// BoringSSL has no ML-KEM-512.
#define FOR_EACH_SET(X) X(768) X(1024)

size_t cpq_mlkem_private_byte_count(cpq_mlkem set) {
#define SET(N) \
    if (set == cpq_mlkem_##N) return sizeof(struct MLKEM##N##_private_key);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mlkem_expand(cpq_mlkem set, const uint8_t *seed, size_t seed_count, void *private_key) {
#define SET(N) \
    if (set == cpq_mlkem_##N) return MLKEM##N##_private_key_from_seed(private_key, seed, seed_count);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

#define SET(N)                                                                                       \
    static int public_##N(const struct MLKEM##N##_private_key *private_key, uint8_t *output) {       \
        struct MLKEM##N##_public_key public_key;                                                     \
        CBB bytes;                                                                                   \
        if (!CBB_init_fixed(&bytes, output, MLKEM##N##_PUBLIC_KEY_BYTES)) return 0;                  \
        MLKEM##N##_public_from_private(&public_key, private_key);                                    \
        return MLKEM##N##_marshal_public_key(&bytes, &public_key) &&                                 \
            CBB_len(&bytes) == MLKEM##N##_PUBLIC_KEY_BYTES;                                          \
    }                                                                                                \
    static int parse_##N(struct MLKEM##N##_public_key *public_key, const uint8_t *bytes, size_t count) { \
        CBS input;                                                                                   \
        CBS_init(&input, bytes, count);                                                              \
        return count == MLKEM##N##_PUBLIC_KEY_BYTES && MLKEM##N##_parse_public_key(public_key, &input); \
    }                                                                                                \
    static int is_public_##N(const uint8_t *bytes, size_t count) {                                   \
        struct MLKEM##N##_public_key public_key;                                                     \
        return parse_##N(&public_key, bytes, count);                                                 \
    }                                                                                                \
    static int encapsulate_##N(const uint8_t *bytes, size_t count, uint8_t *ciphertext, uint8_t *secret) { \
        struct MLKEM##N##_public_key public_key;                                                     \
        if (!parse_##N(&public_key, bytes, count)) return 0;                                         \
        MLKEM##N##_encap(ciphertext, secret, &public_key);                                           \
        return 1;                                                                                    \
    }
FOR_EACH_SET(SET)
#undef SET

int cpq_mlkem_public(cpq_mlkem set, const void *private_key, uint8_t *output, size_t count) {
#define SET(N) \
    if (set == cpq_mlkem_##N && count == MLKEM##N##_PUBLIC_KEY_BYTES) return public_##N(private_key, output);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mlkem_is_public(cpq_mlkem set, const uint8_t *public_key, size_t count) {
#define SET(N) \
    if (set == cpq_mlkem_##N) return is_public_##N(public_key, count);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mlkem_encapsulate(
    cpq_mlkem set, const uint8_t *public_key, size_t public_count, uint8_t *ciphertext, size_t ciphertext_count,
    uint8_t *secret, size_t secret_count) {
    if (secret_count != MLKEM_SHARED_SECRET_BYTES) return 0;
#define SET(N) \
    if (set == cpq_mlkem_##N && ciphertext_count == MLKEM##N##_CIPHERTEXT_BYTES) \
        return encapsulate_##N(public_key, public_count, ciphertext, secret);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mlkem_decapsulate(
    cpq_mlkem set, const void *private_key, const uint8_t *ciphertext, size_t ciphertext_count, uint8_t *secret,
    size_t secret_count) {
    if (secret_count != MLKEM_SHARED_SECRET_BYTES) return 0;
#define SET(N) \
    if (set == cpq_mlkem_##N) return MLKEM##N##_decap(secret, ciphertext, ciphertext_count, private_key);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}
