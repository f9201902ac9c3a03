#include "FaultyToken.h"
#include "faults.h"

#include <stdlib.h>

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST table;

// A function that first asks the commands and then calls the real module.
#define PASS(name, parameters, arguments)                      \
    static CK_RV faulty_##name parameters                      \
    {                                                          \
        CK_RV answer = faults_before(#name);                   \
        if (answer != CKR_OK) return answer;                   \
        if (real == NULL) return CKR_CRYPTOKI_NOT_INITIALIZED; \
        return real->name arguments;                           \
    }

PASS(C_Finalize, (void *reserved), (reserved))
PASS(C_GetInfo, (CK_INFO_PTR info), (info))
PASS(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count), (present, slots, count))
PASS(C_GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO_PTR info), (slot, info))
PASS(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count), (slot, list, count))
PASS(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info), (slot, type, info))
PASS(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG length, unsigned char *label),
     (slot, pin, length, label))
PASS(C_InitPIN, (CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG length), (session, pin, length))
PASS(C_OpenSession, (CK_SLOT_ID slot, CK_FLAGS flags, void *context, CK_NOTIFY notify, CK_SESSION_HANDLE *session),
     (slot, flags, context, notify, session))
PASS(C_CloseSession, (CK_SESSION_HANDLE session), (session))
PASS(C_CloseAllSessions, (CK_SLOT_ID slot), (slot))
PASS(C_GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info), (session, info))
PASS(C_Login, (CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length),
     (session, user, pin, length))
PASS(C_Logout, (CK_SESSION_HANDLE session), (session))
PASS(C_CreateObject, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE *object),
     (session, attributes, count, object))
PASS(C_CopyObject,
     (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
      CK_OBJECT_HANDLE *copy),
     (session, object, attributes, count, copy))
PASS(C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (session, object))
PASS(C_SetAttributeValue,
     (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count),
     (session, object, attributes, count))
PASS(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count),
     (session, attributes, count))
PASS(C_FindObjects, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG_PTR count),
     (session, objects, room, count))
PASS(C_FindObjectsFinal, (CK_SESSION_HANDLE session), (session))
PASS(C_EncryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
     (session, mechanism, key))
PASS(C_Encrypt,
     (CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG length, unsigned char *output, CK_ULONG_PTR room),
     (session, data, length, output, room))
PASS(C_DecryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
     (session, mechanism, key))
PASS(C_Decrypt,
     (CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG length, unsigned char *output, CK_ULONG_PTR room),
     (session, data, length, output, room))
PASS(C_SignInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
     (session, mechanism, key))
PASS(C_Sign,
     (CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG length, unsigned char *output, CK_ULONG_PTR room),
     (session, data, length, output, room))
PASS(C_GenerateKey,
     (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
      CK_OBJECT_HANDLE *key),
     (session, mechanism, attributes, count, key))
PASS(C_GenerateRandom, (CK_SESSION_HANDLE session, unsigned char *random, CK_ULONG length), (session, random, length))

static CK_RV faulty_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV answer = faults_before("C_GetTokenInfo");
    if (answer != CKR_OK) return answer;
    if (real == NULL) return CKR_CRYPTOKI_NOT_INITIALIZED;
    answer = real->C_GetTokenInfo(slot, info);
    if (answer == CKR_OK) info->flags |= faults_token_flags();
    return answer;
}

static CK_RV faulty_C_GetAttributeValue(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count)
{
    CK_RV answer = faults_before("C_GetAttributeValue");
    if (answer != CKR_OK) return answer;
    if (real == NULL) return CKR_CRYPTOKI_NOT_INITIALIZED;
    answer = real->C_GetAttributeValue(session, object, attributes, count);
    faults_lie(attributes, count);
    return answer;
}

static void fill_table(void);

static CK_RV faulty_C_Initialize(void *arguments)
{
    faults_begin();
    CK_RV answer = faults_before("C_Initialize");
    if (answer != CKR_OK) return answer;
    if (real == NULL) {
        char reason[512];
        const char *path = getenv("FAULTY_TOKEN_MODULE");
        if (path == NULL) return CKR_GENERAL_ERROR;
        real = strongroom_pkcs11_load(path, reason, sizeof reason);
        if (real == NULL) return CKR_GENERAL_ERROR;
        fill_table();
    }
    return real->C_Initialize(arguments);
}

static void fill_table(void)
{
    // What has no entry of its own goes straight to the real module.
    if (real != NULL) table = *real;
    table.version.major = 2;
    table.version.minor = 40;
    table.C_Initialize = faulty_C_Initialize;
    table.C_GetFunctionList = C_GetFunctionList;
    table.C_GetTokenInfo = faulty_C_GetTokenInfo;
    table.C_GetAttributeValue = faulty_C_GetAttributeValue;
#define ENTRY(name) table.name = faulty_##name;
    ENTRY(C_Finalize) ENTRY(C_GetInfo) ENTRY(C_GetSlotList) ENTRY(C_GetSlotInfo) ENTRY(C_GetMechanismList)
    ENTRY(C_GetMechanismInfo) ENTRY(C_InitToken) ENTRY(C_InitPIN) ENTRY(C_OpenSession) ENTRY(C_CloseSession)
    ENTRY(C_CloseAllSessions) ENTRY(C_GetSessionInfo) ENTRY(C_Login) ENTRY(C_Logout) ENTRY(C_CreateObject)
    ENTRY(C_CopyObject) ENTRY(C_DestroyObject) ENTRY(C_SetAttributeValue) ENTRY(C_FindObjectsInit)
    ENTRY(C_FindObjects) ENTRY(C_FindObjectsFinal) ENTRY(C_EncryptInit) ENTRY(C_Encrypt) ENTRY(C_DecryptInit)
    ENTRY(C_Decrypt) ENTRY(C_SignInit) ENTRY(C_Sign) ENTRY(C_GenerateKey) ENTRY(C_GenerateRandom)
#undef ENTRY
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    if (list == NULL) return CKR_ARGUMENTS_BAD;
    if (table.C_Initialize == NULL) fill_table();
    *list = &table;
    return CKR_OK;
}
