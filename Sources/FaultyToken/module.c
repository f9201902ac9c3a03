#include "FaultyToken.h"
#include "calls.h"
#include "control.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// MARK: The module

static bool load(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char reason[512] = "FAULTY_TOKEN_MODULE is not set";
    pthread_mutex_lock(&lock);
    const char *path = getenv("FAULTY_TOKEN_MODULE");
    if (real == NULL && path != NULL) real = strongroom_pkcs11_load(path, reason, sizeof reason);
    if (real == NULL) fprintf(stderr, "FaultyToken: %s\n", reason);
    pthread_mutex_unlock(&lock);
    return real != NULL;
}

CK_RV faulty_C_Initialize(void *arguments)
{
    control_begin();
    bool is_loaded = load();
    struct call call;
    if (!call_begin(&call, F_C_Initialize, MODULE, 0)) return is_loaded ? call.answer : CKR_GENERAL_ERROR;
    return call_end(&call, real->C_Initialize(arguments));
}

CK_RV faulty_C_Finalize(void *reserved)
{
    struct call call;
    if (!call_begin(&call, F_C_Finalize, MODULE, 0)) return call.answer;
    CK_RV answer = real->C_Finalize(reserved);
    if (answer == CKR_OK) sessions_remove_all();
    return call_end(&call, answer);
}

PASS_MODULE(C_GetInfo, (CK_INFO_PTR info), (info))

// MARK: Slots

CK_RV faulty_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count)
{
    struct call call;
    if (!call_begin(&call, F_C_GetSlotList, MODULE, 0)) return call.answer;
    if (!present || count == NULL || !faults_token_is_gone())
        return call_end(&call, real->C_GetSlotList(present, slots, count));
    *count = 0;
    return call_end(&call, CKR_OK);
}

CK_RV faulty_C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO_PTR info)
{
    struct call call;
    if (!call_begin(&call, F_C_GetSlotInfo, MODULE, 0)) return call.answer;
    CK_RV answer = real->C_GetSlotInfo(slot, info);
    if (answer == CKR_OK && faults_token_is_gone()) info->flags &= ~CKF_TOKEN_PRESENT;
    return call_end(&call, answer);
}

CK_RV faulty_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    struct call call;
    if (!call_begin(&call, F_C_GetTokenInfo, SLOT, 0)) return call.answer;
    CK_RV answer = real->C_GetTokenInfo(slot, info);
    if (answer == CKR_OK) info->flags |= faults_token_flags();
    return call_end(&call, answer);
}

CK_RV faulty_C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot, void *reserved)
{
    PASS(EVENT, C_WaitForSlotEvent, 0, (flags, slot, reserved));
}

PASS_SLOT(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG_PTR count), (slot, list, count))
PASS_SLOT(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info),
          (slot, type, info))
PASS_SLOT(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG length, unsigned char *label),
          (slot, pin, length, label))

// MARK: Sessions

CK_RV faulty_C_OpenSession(
    CK_SLOT_ID slot, CK_FLAGS flags, void *context, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
    struct call call;
    if (!call_begin(&call, F_C_OpenSession, SLOT, 0)) return call.answer;
    CK_SESSION_HANDLE actual = 0;
    CK_RV answer = session == NULL ? CKR_ARGUMENTS_BAD : real->C_OpenSession(slot, flags, context, notify, &actual);
    if (answer == CKR_OK && !session_add(slot, actual, session)) {
        real->C_CloseSession(actual);
        answer = CKR_SESSION_COUNT;
    }
    return call_end(&call, answer);
}

CK_RV faulty_C_CloseSession(CK_SESSION_HANDLE session)
{
    struct call call;
    if (!call_begin(&call, F_C_CloseSession, SESSION, session)) return call.answer;
    CK_RV answer = real->C_CloseSession(call.session);
    if (answer == CKR_OK) session_remove(session);
    return call_end(&call, answer);
}

CK_RV faulty_C_CloseAllSessions(CK_SLOT_ID slot)
{
    struct call call;
    if (!call_begin(&call, F_C_CloseAllSessions, SLOT, 0)) return call.answer;
    CK_RV answer = real->C_CloseAllSessions(slot);
    if (answer == CKR_OK) sessions_remove(slot);
    return call_end(&call, answer);
}

PASS_SESSION(C_GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info), (call.session, info))
PASS_SESSION(C_SetOperationState,
             (CK_SESSION_HANDLE session, unsigned char *state, CK_ULONG length, CK_OBJECT_HANDLE encryption,
              CK_OBJECT_HANDLE authentication),
             (call.session, state, length, encryption, authentication))
PASS_SESSION(C_GetFunctionStatus, (CK_SESSION_HANDLE session), (call.session))
PASS_SESSION(C_CancelFunction, (CK_SESSION_HANDLE session), (call.session))

// MARK: PINs

PASS_SESSION(C_InitPIN, (CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG length), (call.session, pin, length))
PASS_SESSION(C_SetPIN,
             (CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG length, unsigned char *new_pin,
              CK_ULONG new_length),
             (call.session, pin, length, new_pin, new_length))
PASS_SESSION(C_Login, (CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length),
             (call.session, user, pin, length))
PASS_SESSION(C_Logout, (CK_SESSION_HANDLE session), (call.session))

// MARK: The function list

static CK_FUNCTION_LIST list = {
    .version = { 2, 40 },
    .C_GetFunctionList = C_GetFunctionList,
#define X(name) .name = faulty_##name,
    FAULTY_FUNCTIONS(X)
#undef X
};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions)
{
    if (functions == NULL) return CKR_ARGUMENTS_BAD;
    *functions = &list;
    return CKR_OK;
}
