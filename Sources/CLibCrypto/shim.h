// OpenSSL 3 libcrypto, and its macros as functions: Swift imports neither function-like macros nor string macros whose
// address must outlive a call (OSSL_PARAM keeps the pointer to its name).
#ifndef STRONGROOM_CLIBCRYPTO_SHIM_H
#define STRONGROOM_CLIBCRYPTO_SHIM_H

#include <stddef.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "libcrypto 3.0 or newer is needed (Debian and Ubuntu: apt-get install libssl-dev)"
#endif

// Parameters. libcrypto declares their buffers as not const but only reads the ones that are set.

static inline OSSL_PARAM clibcrypto_mac_digest_sha256(void) {
    return OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
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
