#ifndef STRONGROOM_FAULTY_TOKEN_H
#define STRONGROOM_FAULTY_TOKEN_H

// A PKCS#11 module for tests. It hands every call to a real module and, on command, answers an error, delays, blocks,
// or lies. It is loaded by path like any module; nothing calls it by this header.
//
// Environment, read at C_Initialize:
//   FAULTY_TOKEN_MODULE   the real module (required)
//   FAULTY_TOKEN_CONTROL  the command file; read again whenever it has changed
//   FAULTY_TOKEN_LOG      a file that gets one line for each call: the function's name, nothing else
//
// Commands, one a line; # begins a comment. FUNCTION is a name such as C_Login, or * for any.
//   FUNCTION return CKR [times N] [skip M]  answer CKR (hexadecimal) instead of calling; N times, after M calls
//   FUNCTION delay MS [times N] [skip M]    wait, then call
//   FUNCTION block [times N] [skip M]       wait until the command file no longer has this command
//   C_GetTokenInfo flags MASK               set these CKF_ bits in the answer
//   C_GetAttributeValue lie CKA VALUE       answer this CK_BBOOL for that attribute (hexadecimal)
// A changed file starts all counts anew. Replace the file by rename, so that no half of it is ever read.

#endif
