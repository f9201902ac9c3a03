#ifndef STRONGROOM_CPKCS11_H
#define STRONGROOM_CPKCS11_H

// Cryptoki 2.40 as p11-kit's system header declares it (Debian: libp11-kit-dev), and the few things it lacks.
#include <p11-kit-1/p11-kit/pkcs11.h>

// PKCS#11 v3.0 names that the 2.40 header does not have.
#define CKR_AEAD_DECRYPT_FAILED (0x42UL)
#define CKR_OPERATION_CANCEL_FAILED (0x202UL)
#define CKM_AES_KEY_WRAP_KWP (0x210bUL)

/// Loads a module with dlopen(RTLD_NOW | RTLD_LOCAL) and fetches its 2.40 function list.
///
/// Returns NULL when either fails; `reason` then holds a text for people, cut to `reason_size`. The library stays
/// loaded for the life of the process: a thread may be inside it at any time.
CK_FUNCTION_LIST_PTR strongroom_pkcs11_load(const char *path, char *reason, unsigned long reason_size);

/// C_Initialize with CKF_OS_LOCKING_OK. `reserved` is the module's own initialisation string, or NULL.
CK_RV strongroom_pkcs11_initialize(CK_FUNCTION_LIST_PTR functions, const char *reserved);

/// Sets SIGPIPE to be ignored: a module that talks to a dead socket would end the process otherwise.
void strongroom_pkcs11_ignore_sigpipe(void);

#endif
