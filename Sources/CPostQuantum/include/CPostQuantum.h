// ML-DSA (FIPS 204) and ML-KEM (FIPS 203) of the BoringSSL that swift-crypto carries. swift-crypto's own Swift interface
// leaves out ML-DSA-44 and signing of a message representative, so its C functions are called directly, here and
// nowhere else. They are compiled against BoringSSL's own headers: a changed signature stops the build.
//
// Functions answer 1 on success and 0 on failure. An expanded private key is an opaque block of `…_private_byte_count`
// bytes, aligned as malloc aligns, and as secret as its seed.
#ifndef STRONGROOM_CPOSTQUANTUM_H
#define STRONGROOM_CPOSTQUANTUM_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    cpq_mldsa_44 = 44,
    cpq_mldsa_65 = 65,
    cpq_mldsa_87 = 87,
} cpq_mldsa;

typedef enum {
    cpq_mlkem_768 = 768,
    cpq_mlkem_1024 = 1024,
} cpq_mlkem;

// The seed of an ML-DSA key has 32 bytes (ξ of FIPS 204, Algorithm 1), a message representative 64 (µ).

size_t cpq_mldsa_private_byte_count(cpq_mldsa set);
int cpq_mldsa_expand(cpq_mldsa set, const uint8_t *seed, size_t seed_count, void *private_key);
// `output` takes exactly the encoded public key: 1312, 1952 or 2592 bytes.
int cpq_mldsa_public(cpq_mldsa set, const void *private_key, uint8_t *output, size_t count);
// 1 when the bytes are an encoded public key.
int cpq_mldsa_is_public(cpq_mldsa set, const uint8_t *public_key, size_t count);
// Pure ML-DSA with an empty context; `output` takes 2420, 3309 or 4627 bytes.
int cpq_mldsa_sign(
    cpq_mldsa set, const void *private_key, const uint8_t *message, size_t message_count, uint8_t *output,
    size_t count);
int cpq_mldsa_sign_representative(
    cpq_mldsa set, const void *private_key, const uint8_t *representative, size_t representative_count,
    uint8_t *output, size_t count);
int cpq_mldsa_verify(
    cpq_mldsa set, const uint8_t *public_key, size_t public_count, const uint8_t *message, size_t message_count,
    const uint8_t *signature, size_t signature_count);

// The seed of an ML-KEM key has 64 bytes (d ‖ z of FIPS 203, Algorithm 19), a shared secret 32.

size_t cpq_mlkem_private_byte_count(cpq_mlkem set);
int cpq_mlkem_expand(cpq_mlkem set, const uint8_t *seed, size_t seed_count, void *private_key);
// `output` takes exactly the encapsulation key: 1184 or 1568 bytes.
int cpq_mlkem_public(cpq_mlkem set, const void *private_key, uint8_t *output, size_t count);
// 1 when the bytes are an encapsulation key, the modulus check of FIPS 203 §7.2 included.
int cpq_mlkem_is_public(cpq_mlkem set, const uint8_t *public_key, size_t count);
// `ciphertext` takes 1088 or 1568 bytes, `secret` 32.
int cpq_mlkem_encapsulate(
    cpq_mlkem set, const uint8_t *public_key, size_t public_count, uint8_t *ciphertext, size_t ciphertext_count,
    uint8_t *secret, size_t secret_count);
// 0 for a ciphertext of another length; a foreign one of the right length gives another secret (implicit rejection).
int cpq_mlkem_decapsulate(
    cpq_mlkem set, const void *private_key, const uint8_t *ciphertext, size_t ciphertext_count, uint8_t *secret,
    size_t secret_count);

#endif
