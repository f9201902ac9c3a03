#ifndef STRONGROOM_FAULTS_H
#define STRONGROOM_FAULTS_H

#include "CPKCS11.h"

/// Reads the environment and forgets what was read before.
void faults_begin(void);

/// Writes the function's name to the log, then does what the commands say: waits, and returns what to answer instead
/// of calling the real module, or CKR_OK to call it.
CK_RV faults_before(const char *function);

/// The bits to set in CK_TOKEN_INFO.flags.
CK_FLAGS faults_token_flags(void);

/// Overwrites CK_BBOOL attributes that are to be lied about.
void faults_lie(CK_ATTRIBUTE_PTR attributes, CK_ULONG count);

#endif
