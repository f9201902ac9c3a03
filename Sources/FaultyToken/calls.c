#define _GNU_SOURCE
#include "calls.h"

#include <pthread.h>
#include <string.h>

CK_FUNCTION_LIST_PTR real;

// Held for reading by every call inside the real module, for writing while sessions are taken away under the
// application: modules do not expect to be inside a call with a session that ends.
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
static pthread_rwlock_t gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
#endif

#define ROOM 4096

struct session {
    bool is_open;
    CK_ULONG serial;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE actual;
    unsigned char *iv;
    CK_ULONG iv_length;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct session sessions[ROOM];
static size_t session_count; // up to the last open one

// MARK: Sessions

/// With the lock of the table held. NULL: there is no such session (any more).
static struct session *find(CK_SESSION_HANDLE handle)
{
    struct session *session = &sessions[handle % ROOM];
    return session->is_open && session->serial == handle / ROOM ? session : NULL;
}

static void forget(struct session *session)
{
    session->is_open = false;
    session->iv = NULL;
}

bool session_add(CK_SLOT_ID slot, CK_SESSION_HANDLE actual, CK_SESSION_HANDLE *handle)
{
    pthread_mutex_lock(&table_lock);
    size_t index = 0;
    while (index < ROOM && sessions[index].is_open) index++;
    bool has_room = index < ROOM;
    if (has_room) {
        struct session *session = &sessions[index];
        *session = (struct session){ .is_open = true, .serial = session->serial + 1, .slot = slot, .actual = actual };
        *handle = session->serial * ROOM + index;
        if (index >= session_count) session_count = index + 1;
    }
    pthread_mutex_unlock(&table_lock);
    return has_room;
}

void session_remove(CK_SESSION_HANDLE handle)
{
    pthread_mutex_lock(&table_lock);
    struct session *session = find(handle);
    if (session != NULL) forget(session);
    pthread_mutex_unlock(&table_lock);
}

void sessions_remove(CK_SLOT_ID slot)
{
    pthread_mutex_lock(&table_lock);
    for (size_t index = 0; index < session_count; index++)
        if (sessions[index].slot == slot) forget(&sessions[index]);
    pthread_mutex_unlock(&table_lock);
}

void sessions_remove_all(void)
{
    pthread_mutex_lock(&table_lock);
    for (size_t index = 0; index < session_count; index++) forget(&sessions[index]);
    session_count = 0;
    pthread_mutex_unlock(&table_lock);
}

void session_keep_iv(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism)
{
    if (mechanism == NULL || mechanism->mechanism != CKM_AES_GCM || mechanism->pParameter == NULL
        || mechanism->ulParameterLen != sizeof(CK_GCM_PARAMS)) return;
    const CK_GCM_PARAMS *parameters = mechanism->pParameter;
    pthread_mutex_lock(&table_lock);
    struct session *session = find(handle);
    if (session != NULL && parameters->ulIvLen > 0) {
        session->iv = parameters->pIv;
        session->iv_length = parameters->ulIvLen;
    }
    pthread_mutex_unlock(&table_lock);
}

unsigned char *session_take_iv(CK_SESSION_HANDLE handle, CK_ULONG *length)
{
    unsigned char *iv = NULL;
    pthread_mutex_lock(&table_lock);
    struct session *session = find(handle);
    if (session != NULL) {
        iv = session->iv;
        *length = session->iv_length;
        session->iv = NULL;
    }
    pthread_mutex_unlock(&table_lock);
    return iv;
}

/// With the gate closed to everybody else. Once for each slot with a session: what is done to one is done to all.
static void disturb(bool drops)
{
    for (size_t index = 0; index < session_count; index++) {
        if (!sessions[index].is_open) continue;
        bool is_first = true;
        for (size_t before = 0; before < index; before++)
            is_first &= !sessions[before].is_open || sessions[before].slot != sessions[index].slot;
        if (!is_first) continue;
        // What the real module says to it changes nothing.
        if (drops) real->C_CloseAllSessions(sessions[index].slot);
        else real->C_Logout(sessions[index].actual);
    }
    if (drops) sessions_remove_all();
}

// MARK: Calls

static CK_RV refusal(enum subject subject)
{
    switch (subject) {
    case SLOT: return CKR_TOKEN_NOT_PRESENT;
    case SESSION: return CKR_DEVICE_REMOVED;
    case MODULE:
    case EVENT: break;
    }
    return CKR_OK;
}

bool call_begin(struct call *call, enum function function, enum subject subject, CK_SESSION_HANDLE session)
{
    memset(call, 0, sizeof *call);
    call->function = function;
    call->subject = subject;
    faults_before(function, &call->faults);
    if (real != NULL && (call->faults.drops_sessions || call->faults.logs_out)) {
        pthread_rwlock_wrlock(&gate);
        if (call->faults.logs_out) disturb(false);
        if (call->faults.drops_sessions) disturb(true);
        pthread_rwlock_unlock(&gate);
    }
    if (call->faults.is_answered) {
        call->answer = call->faults.answer;
        return false;
    }
    if (real == NULL) {
        call->answer = CKR_CRYPTOKI_NOT_INITIALIZED;
        return false;
    }
    if (subject != EVENT) pthread_rwlock_rdlock(&gate);
    // Asked inside the gate: whoever is here before the token goes is waited for.
    call->answer = faults_token_is_gone() ? refusal(subject) : CKR_OK;
    if (call->answer == CKR_OK && subject == SESSION) {
        pthread_mutex_lock(&table_lock);
        const struct session *found = find(session);
        if (found != NULL) call->session = found->actual;
        else call->answer = CKR_SESSION_HANDLE_INVALID;
        pthread_mutex_unlock(&table_lock);
    }
    if (call->answer == CKR_OK) return true;
    if (subject != EVENT) pthread_rwlock_unlock(&gate);
    return false;
}

CK_RV call_end(struct call *call, CK_RV answer)
{
    if (call->subject != EVENT) pthread_rwlock_unlock(&gate);
    return answer == CKR_OK && call->faults.is_lost ? call->faults.lost : answer;
}
