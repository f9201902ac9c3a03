// OpenSSL 3 libcrypto, and its macros as functions: Swift imports neither function-like macros nor string macros whose
// address must outlive a call (OSSL_PARAM keeps the pointer to its name).
#ifndef STRONGROOM_CLIBCRYPTO_SHIM_H
#define STRONGROOM_CLIBCRYPTO_SHIM_H

#include <stddef.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "libcrypto 3.0 or newer is needed (Debian and Ubuntu: apt-get install libssl-dev)"
#endif

// Parameters. libcrypto declares their buffers as not const but only reads the ones that are set.

// The name must live as long as the parameter.
static inline OSSL_PARAM clibcrypto_mac_digest(const char *name) {
    return OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)name, 0);
}

static inline OSSL_PARAM clibcrypto_kdf_digest_sha256(void) {
    return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
}

static inline OSSL_PARAM clibcrypto_kdf_mac_hmac(void) {
    return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, (char *)"HMAC", 0);
}

static inline OSSL_PARAM clibcrypto_kdf_mode_counter(void) {
    return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, (char *)"counter", 0);
}

static inline OSSL_PARAM clibcrypto_kdf_key(const void *bytes, size_t count) {
    return OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)bytes, count);
}

// KBKDF calls the label "salt" and the context "info" (EVP_KDF-KB(7)).

static inline OSSL_PARAM clibcrypto_kdf_label(const void *bytes, size_t count) {
    return OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)bytes, count);
}

static inline OSSL_PARAM clibcrypto_kdf_context(const void *bytes, size_t count) {
    return OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)bytes, count);
}

// AEAD controls of a cipher context. Each answers 1 on success.

static inline int clibcrypto_set_iv_length(EVP_CIPHER_CTX *context, int count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, count, NULL);
}

static inline int clibcrypto_get_tag(EVP_CIPHER_CTX *context, void *tag, int count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, count, tag);
}

static inline int clibcrypto_set_tag(EVP_CIPHER_CTX *context, const void *tag, int count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, count, (void *)tag);
}

// Parameters of signatures that libcrypto 3.0 does not know yet (Ed25519ph: 3.2, message representatives: 3.5): their
// names are those of EVP_SIGNATURE-ED25519(7) and EVP_SIGNATURE-ML-DSA(7).

static inline OSSL_PARAM clibcrypto_signature_ed25519ph(void) {
    return OSSL_PARAM_construct_utf8_string("instance", (char *)"Ed25519ph", 0);
}

static inline OSSL_PARAM clibcrypto_signature_of_mu(void) {
    static int yes = 1;
    return OSSL_PARAM_construct_int("mu", &yes);
}

// Keys from and to DER. The bytes must hold one key and nothing after it. None of these asks for a pass phrase.

// PrivateKeyInfo (RFC 5208), not encrypted. NULL when it does not parse.
static inline EVP_PKEY *clibcrypto_private_key_from_der(const void *bytes, size_t count) {
    const unsigned char *position = (const unsigned char *)bytes;
    const unsigned char *end = position + count;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &position, (long)count);
    EVP_PKEY *key = info && position == end ? EVP_PKCS82PKEY_ex(info, NULL, NULL) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

// Writes at most `capacity` bytes; answers how many, or 0 when it fails or they are too many.
static inline size_t clibcrypto_private_key_to_der(const EVP_PKEY *key, void *bytes, size_t capacity) {
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int count = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : 0;
    unsigned char *position = (unsigned char *)bytes;
    int written = count > 0 && (size_t)count <= capacity ? i2d_PKCS8_PRIV_KEY_INFO(info, &position) : 0;
    PKCS8_PRIV_KEY_INFO_free(info);
    return written > 0 ? (size_t)written : 0;
}

// SubjectPublicKeyInfo (RFC 5280). NULL when it does not parse.
static inline EVP_PKEY *clibcrypto_public_key_from_der(const void *bytes, size_t count) {
    const unsigned char *position = (const unsigned char *)bytes;
    const unsigned char *end = position + count;
    EVP_PKEY *key = d2i_PUBKEY_ex(NULL, &position, (long)count, NULL, NULL);
    if (key && position != end) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static inline size_t clibcrypto_public_key_to_der(const EVP_PKEY *key, void *bytes, size_t capacity) {
    int count = i2d_PUBKEY(key, NULL);
    unsigned char *position = (unsigned char *)bytes;
    int written = count > 0 && (size_t)count <= capacity ? i2d_PUBKEY(key, &position) : 0;
    return written > 0 ? (size_t)written : 0;
}

// A public key from its parts, without the search through all decoders that DER means in libcrypto 3.0. The point is
// checked to be on the curve. NULL when it is not one.
static inline EVP_PKEY *clibcrypto_public_key_from_point(
    const char *type, const char *group, const void *point, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

// Plain Diffie-Hellman (SEC 1 §3.3.1) on the SM2 curve, as libcrypto's own ECDH does it: libcrypto gives keys on this
// curve a type of their own, which does the key exchange of GB/T 32918.3 only. `point` is the peer's, uncompressed.
// Writes the x coordinate; 1 on success.
static inline int clibcrypto_agree_on_sm2_curve(
    const EVP_PKEY *key, const void *point, size_t point_count, unsigned char *x, int count) {
    BIGNUM *scalar = NULL, *coordinate = BN_secure_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(NULL, NULL, NID_sm2);
    EC_POINT *peer = group ? EC_POINT_new(group) : NULL;
    EC_POINT *shared = group ? EC_POINT_new(group) : NULL;
    int done = 0;
    if (coordinate && peer && shared && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1) {
        BN_set_flags(scalar, BN_FLG_CONSTTIME);
        done = EC_POINT_oct2point(group, peer, (const unsigned char *)point, point_count, NULL) == 1 &&
            EC_POINT_mul(group, shared, NULL, peer, scalar, NULL) == 1 && !EC_POINT_is_at_infinity(group, shared) &&
            EC_POINT_get_affine_coordinates(group, shared, coordinate, NULL, NULL) == 1 &&
            BN_bn2binpad(coordinate, x, count) == count;
    }
    EC_POINT_clear_free(shared);
    EC_POINT_free(peer);
    EC_GROUP_free(group);
    BN_clear_free(coordinate);
    BN_clear_free(scalar);
    return done;
}

// 1 when the exponent of an RSA public key is odd and in 2^16 < e < 2^256 (FIPS 186-5 §5.1).
static inline int clibcrypto_rsa_exponent_is_sound(const EVP_PKEY *key) {
    BIGNUM *exponent = NULL;
    int sound = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(exponent) &&
        BN_num_bits(exponent) > 16 && BN_num_bits(exponent) <= 256;
    BN_free(exponent);
    return sound;
}

// 1 when a private key of two primes is as FIPS 186-5 §A.1.1 wants it, as far as the tests of libcrypto do not look: no
// third prime, both primes half as long as the modulus and far enough apart, the private exponent not short.
static inline int clibcrypto_rsa_primes_are_sound(const EVP_PKEY *key) {
    BIGNUM *p = NULL, *q = NULL, *d = NULL, *third = NULL, *difference = BN_secure_new();
    int half = EVP_PKEY_get_bits(key) / 2;
    int sound = difference && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR2, &q) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &d) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) != 1 && BN_num_bits(p) == half &&
        BN_num_bits(q) == half && BN_sub(difference, p, q) == 1 && BN_num_bits(difference) > half - 100 &&
        BN_num_bits(d) > half;
    BN_clear_free(p);
    BN_clear_free(q);
    BN_clear_free(d);
    BN_clear_free(third);
    BN_clear_free(difference);
    return sound;
}

// Writes a number of a private key (an OSSL_PKEY_PARAM name), big-endian, in exactly `count` bytes. 1 on success.
static inline int clibcrypto_private_number(const EVP_PKEY *key, const char *name, unsigned char *bytes, int count) {
    BIGNUM *number = NULL;
    int written = EVP_PKEY_get_bn_param(key, name, &number) == 1 ? BN_bn2binpad(number, bytes, count) : -1;
    BN_clear_free(number);
    return written == count;
}

// 1 when the curve of a key was given by its name; older versions do not know the question, and answer 0.
static inline int clibcrypto_curve_is_named(const EVP_PKEY *key) {
    int is_explicit = 1;
    return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) == 1 &&
        !is_explicit;
}

// Writes a number of a key, big-endian, at most `capacity` bytes; answers how many, or 0 when there is no such number.
static inline size_t clibcrypto_key_number(const EVP_PKEY *key, const char *name, void *bytes, size_t capacity) {
    BIGNUM *number = NULL;
    int written = 0;
    if (EVP_PKEY_get_bn_param(key, name, &number) == 1 && (size_t)BN_num_bytes(number) <= capacity)
        written = BN_bn2bin(number, (unsigned char *)bytes);
    BN_clear_free(number);
    return written > 0 ? (size_t)written : 0;
}

// Certificates. The default callback would ask for the pass phrase of an encrypted PEM on the terminal.

static inline int clibcrypto_no_pass_phrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

// 1 when the bytes hold an X.509 certificate in PEM.
static inline int clibcrypto_is_pem_certificate(const void *bytes, int count) {
    BIO *source = BIO_new_mem_buf(bytes, count);
    X509 *certificate = source ? PEM_read_bio_X509(source, NULL, clibcrypto_no_pass_phrase, NULL) : NULL;
    int found = certificate != NULL;
    X509_free(certificate);
    BIO_free(source);
    return found;
}

#endif
