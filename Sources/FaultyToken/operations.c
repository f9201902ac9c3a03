#include "calls.h"

// A function with an answer that can be corrupted: `output`, of length `*room`.
#define PASS_OUTPUT(name, parameters, arguments)                                                \
    CK_RV faulty_##name parameters                                                              \
    {                                                                                           \
        struct call call;                                                                       \
        if (!call_begin(&call, F_##name, SESSION, session)) return call.answer;                 \
        CK_RV answer = real->name == NULL ? CKR_FUNCTION_NOT_SUPPORTED : real->name arguments;  \
        if (answer == CKR_OK) faults_corrupt(F_##name, output, *room);                          \
        return call_end(&call, answer);                                                         \
    }

// The shapes that most operations have.
#define PASS_INIT(name)                                                                                      \
    PASS_SESSION(name, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),        \
                 (call.session, mechanism, key))
#define PASS_INPUT(name) \
    PASS_SESSION(name, (CK_SESSION_HANDLE session, unsigned char *input, CK_ULONG length), \
                 (call.session, input, length))
#define PASS_THROUGH(name)                                                                                      \
    PASS_OUTPUT(name,                                                                                           \
                (CK_SESSION_HANDLE session, unsigned char *input, CK_ULONG length, unsigned char *output,       \
                 CK_ULONG_PTR room),                                                                            \
                (call.session, input, length, output, room))
#define PASS_FINAL(name) \
    PASS_OUTPUT(name, (CK_SESSION_HANDLE session, unsigned char *output, CK_ULONG_PTR room), \
                (call.session, output, room))

// MARK: Encryption

CK_RV faulty_C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct call call;
    if (!call_begin(&call, F_C_EncryptInit, SESSION, session)) return call.answer;
    CK_RV answer = real->C_EncryptInit(call.session, mechanism, key);
    if (answer == CKR_OK) session_keep_iv(session, mechanism);
    return call_end(&call, answer);
}

CK_RV faulty_C_Encrypt(
    CK_SESSION_HANDLE session, unsigned char *input, CK_ULONG length, unsigned char *output, CK_ULONG_PTR room)
{
    struct call call;
    if (!call_begin(&call, F_C_Encrypt, SESSION, session)) return call.answer;
    CK_RV answer = real->C_Encrypt(call.session, input, length, output, room);
    // A question for the length does not end the operation.
    if (output != NULL && answer != CKR_BUFFER_TOO_SMALL) {
        CK_ULONG iv_length = 0;
        unsigned char *iv = session_take_iv(session, &iv_length);
        if (answer == CKR_OK && iv != NULL) faults_overwrite_iv(iv, iv_length);
    }
    if (answer == CKR_OK) faults_corrupt(F_C_Encrypt, output, *room);
    return call_end(&call, answer);
}

PASS_THROUGH(C_EncryptUpdate)

CK_RV faulty_C_EncryptFinal(CK_SESSION_HANDLE session, unsigned char *output, CK_ULONG_PTR room)
{
    struct call call;
    CK_ULONG length = 0;
    if (!call_begin(&call, F_C_EncryptFinal, SESSION, session)) return call.answer;
    CK_RV answer = real->C_EncryptFinal(call.session, output, room);
    if (output != NULL && answer != CKR_BUFFER_TOO_SMALL) session_take_iv(session, &length);
    if (answer == CKR_OK) faults_corrupt(F_C_EncryptFinal, output, *room);
    return call_end(&call, answer);
}

PASS_INIT(C_DecryptInit)
PASS_THROUGH(C_Decrypt)
PASS_THROUGH(C_DecryptUpdate)
PASS_FINAL(C_DecryptFinal)

// MARK: Digests

PASS_SESSION(C_DigestInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism), (call.session, mechanism))
PASS_THROUGH(C_Digest)
PASS_INPUT(C_DigestUpdate)
PASS_SESSION(C_DigestKey, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key), (call.session, key))
PASS_FINAL(C_DigestFinal)

// MARK: Signatures

PASS_INIT(C_SignInit)
PASS_THROUGH(C_Sign)
PASS_INPUT(C_SignUpdate)
PASS_FINAL(C_SignFinal)
PASS_INIT(C_SignRecoverInit)
PASS_THROUGH(C_SignRecover)
PASS_INIT(C_VerifyInit)
PASS_SESSION(C_Verify,
             (CK_SESSION_HANDLE session, unsigned char *input, CK_ULONG length, unsigned char *signature,
              CK_ULONG signature_length),
             (call.session, input, length, signature, signature_length))
PASS_INPUT(C_VerifyUpdate)
PASS_INPUT(C_VerifyFinal)
PASS_INIT(C_VerifyRecoverInit)
PASS_THROUGH(C_VerifyRecover)

// MARK: Two at once

PASS_THROUGH(C_DigestEncryptUpdate)
PASS_THROUGH(C_DecryptDigestUpdate)
PASS_THROUGH(C_SignEncryptUpdate)
PASS_THROUGH(C_DecryptVerifyUpdate)

// MARK: The rest

PASS_FINAL(C_GetOperationState)
PASS_OUTPUT(C_WrapKey,
            (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
             unsigned char *output, CK_ULONG_PTR room),
            (call.session, mechanism, wrapping, key, output, room))
PASS_INPUT(C_SeedRandom)

CK_RV faulty_C_GenerateRandom(CK_SESSION_HANDLE session, unsigned char *output, CK_ULONG length)
{
    struct call call;
    if (!call_begin(&call, F_C_GenerateRandom, SESSION, session)) return call.answer;
    CK_RV answer = real->C_GenerateRandom(call.session, output, length);
    if (answer == CKR_OK) faults_corrupt(F_C_GenerateRandom, output, length);
    return call_end(&call, answer);
}
