#ifndef STRONGROOM_FAULTS_H
#define STRONGROOM_FAULTS_H

#include "functions.h"

#include <stdbool.h>

/// What the commands say about one call, before the real module is called.
struct faults {
    /// Close all sessions of the application first.
    bool drops_sessions;
    /// Log out first.
    bool logs_out;
    /// Answer this instead of calling.
    bool is_answered;
    CK_RV answer;
    /// Call, and answer this to what went well.
    bool is_lost;
    CK_RV lost;
};

/// Writes the function's name to the log, reads the commands, and waits as they say.
void faults_before(enum function function, struct faults *faults);

/// Whether the token is gone now.
bool faults_token_is_gone(void);

/// Whether a template is to make its key readable.
bool faults_insensitive(enum function function);

/// Flips a bit of an answer, if the commands say so.
void faults_corrupt(enum function function, unsigned char *output, CK_ULONG length);

/// Overwrites an IV, if the commands say so.
void faults_overwrite_iv(unsigned char *iv, CK_ULONG length);

/// The bits to set in CK_TOKEN_INFO.flags.
CK_FLAGS faults_token_flags(void);

/// Overwrites CK_BBOOL attributes that are to be lied about.
void faults_lie(CK_ATTRIBUTE_PTR attributes, CK_ULONG count);

#endif
