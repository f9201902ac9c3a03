#ifndef STRONGROOM_FAULTY_CALLS_H
#define STRONGROOM_FAULTY_CALLS_H

#include "faults.h"

/// What a call is about, and so what it answers while the token is gone.
enum subject {
    /// The module: it goes on.
    MODULE,
    /// A slot: CKR_TOKEN_NOT_PRESENT.
    SLOT,
    /// A session: CKR_DEVICE_REMOVED.
    SESSION,
    /// An event of a slot: waits in the real module, and so does not count as being inside it.
    EVENT,
};

/// One call on its way through.
struct call {
    enum function function;
    enum subject subject;
    /// The real module's own handle.
    CK_SESSION_HANDLE session;
    /// What to answer if the call ends here.
    CK_RV answer;
    struct faults faults;
};

/// The module behind this one; NULL before the first C_Initialize.
extern CK_FUNCTION_LIST_PTR real;

/// Does what the commands say. False: answer `call->answer`. True: call the real module with `call->session`, and
/// then `call_end`.
bool call_begin(struct call *call, enum function function, enum subject subject, CK_SESSION_HANDLE session);

/// The answer to give for the real module's.
CK_RV call_end(struct call *call, CK_RV answer);

// Sessions have handles of our own, so that one that was dropped is never mistaken for a later one. With a call
// under way:

/// False when there is no room for one more.
bool session_add(CK_SLOT_ID slot, CK_SESSION_HANDLE actual, CK_SESSION_HANDLE *handle);
void session_remove(CK_SESSION_HANDLE handle);
void sessions_remove(CK_SLOT_ID slot);
void sessions_remove_all(void);

/// Keeps the place of an IV until the operation that it belongs to ends.
void session_keep_iv(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism);

/// The place that was kept, which is then forgotten; NULL: none.
unsigned char *session_take_iv(CK_SESSION_HANDLE handle, CK_ULONG *length);

// The body of a function that passes through.
#define PASS(subject, name, session, arguments)                                                     \
    struct call call;                                                                               \
    if (!call_begin(&call, F_##name, subject, session)) return call.answer;                         \
    return call_end(&call, real->name == NULL ? CKR_FUNCTION_NOT_SUPPORTED : real->name arguments)

#define PASS_MODULE(name, parameters, arguments) \
    CK_RV faulty_##name parameters { PASS(MODULE, name, 0, arguments); }
#define PASS_SLOT(name, parameters, arguments) \
    CK_RV faulty_##name parameters { PASS(SLOT, name, 0, arguments); }
// The first argument is `call.session`.
#define PASS_SESSION(name, parameters, arguments) \
    CK_RV faulty_##name parameters { PASS(SESSION, name, session, arguments); }

#endif
