#include "CPostQuantum.h"

#include <CCryptoBoringSSL_bytestring.h>
#include <CCryptoBoringSSL_mldsa.h>

// The three parameter sets differ in the names of their functions only.
#define FOR_EACH_SET(X) X(44) X(65) X(87)

size_t cpq_mldsa_private_byte_count(cpq_mldsa set) {
#define SET(N) \
    if (set == cpq_mldsa_##N) return sizeof(struct MLDSA##N##_private_key);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mldsa_expand(cpq_mldsa set, const uint8_t *seed, size_t seed_count, void *private_key) {
#define SET(N) \
    if (set == cpq_mldsa_##N) return MLDSA##N##_private_key_from_seed(private_key, seed, seed_count);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

#define SET(N)                                                                                       \
    static int public_##N(const struct MLDSA##N##_private_key *private_key, uint8_t *output) {       \
        struct MLDSA##N##_public_key public_key;                                                     \
        CBB bytes;                                                                                   \
        return CBB_init_fixed(&bytes, output, MLDSA##N##_PUBLIC_KEY_BYTES) &&                        \
            MLDSA##N##_public_from_private(&public_key, private_key) &&                              \
            MLDSA##N##_marshal_public_key(&bytes, &public_key) &&                                    \
            CBB_len(&bytes) == MLDSA##N##_PUBLIC_KEY_BYTES;                                          \
    }                                                                                                \
    static int parse_##N(struct MLDSA##N##_public_key *public_key, const uint8_t *bytes, size_t count) { \
        CBS input;                                                                                   \
        CBS_init(&input, bytes, count);                                                              \
        return count == MLDSA##N##_PUBLIC_KEY_BYTES && MLDSA##N##_parse_public_key(public_key, &input); \
    }                                                                                                \
    static int is_public_##N(const uint8_t *bytes, size_t count) {                                   \
        struct MLDSA##N##_public_key public_key;                                                     \
        return parse_##N(&public_key, bytes, count);                                                 \
    }                                                                                                \
    static int verify_##N(                                                                           \
        const uint8_t *bytes, size_t count, const uint8_t *message, size_t message_count,            \
        const uint8_t *signature, size_t signature_count) {                                          \
        struct MLDSA##N##_public_key public_key;                                                     \
        return parse_##N(&public_key, bytes, count) &&                                               \
            MLDSA##N##_verify(&public_key, signature, signature_count, message, message_count, NULL, 0); \
    }
FOR_EACH_SET(SET)
#undef SET

int cpq_mldsa_public(cpq_mldsa set, const void *private_key, uint8_t *output, size_t count) {
#define SET(N) \
    if (set == cpq_mldsa_##N && count == MLDSA##N##_PUBLIC_KEY_BYTES) return public_##N(private_key, output);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mldsa_is_public(cpq_mldsa set, const uint8_t *public_key, size_t count) {
#define SET(N) \
    if (set == cpq_mldsa_##N) return is_public_##N(public_key, count);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mldsa_sign(
    cpq_mldsa set, const void *private_key, const uint8_t *message, size_t message_count, uint8_t *output,
    size_t count) {
#define SET(N) \
    if (set == cpq_mldsa_##N && count == MLDSA##N##_SIGNATURE_BYTES) \
        return MLDSA##N##_sign(output, private_key, message, message_count, NULL, 0);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mldsa_sign_representative(
    cpq_mldsa set, const void *private_key, const uint8_t *representative, size_t representative_count,
    uint8_t *output, size_t count) {
    if (representative_count != MLDSA_MU_BYTES) return 0;
#define SET(N) \
    if (set == cpq_mldsa_##N && count == MLDSA##N##_SIGNATURE_BYTES) \
        return MLDSA##N##_sign_message_representative(output, private_key, representative);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}

int cpq_mldsa_verify(
    cpq_mldsa set, const uint8_t *public_key, size_t public_count, const uint8_t *message, size_t message_count,
    const uint8_t *signature, size_t signature_count) {
#define SET(N) \
    if (set == cpq_mldsa_##N) \
        return verify_##N(public_key, public_count, message, message_count, signature, signature_count);
    FOR_EACH_SET(SET)
#undef SET
    return 0;
}
