#ifndef STRONGROOM_FAULTY_TOKEN_H
#define STRONGROOM_FAULTY_TOKEN_H

// A PKCS#11 module for tests. It hands every call to a real module and, on command, answers an error, delays, blocks,
// loses sessions, vanishes, corrupts or lies. It is loaded by path like any module; nothing calls it by this header.
// docs/faulty-token.md tells how it is used, and every command.
//
// Environment, read at C_Initialize:
//   FAULTY_TOKEN_MODULE   the real module (required)
//   FAULTY_TOKEN_CONTROL  the command file; read again whenever it has changed
//   FAULTY_TOKEN_LOG      a file that gets one line for each call: the function's name, nothing else; and a line that
//                         begins with ! for each command file that cannot be understood
//
// Commands, one a line; # begins a comment. FUNCTIONS is a name such as C_Login, several with commas between them, the
// beginning of names such as C_Sign*, or * for all.
//   FUNCTIONS return CKR[,CKR…]      answer one of these (hexadecimal) instead of calling
//   FUNCTIONS lose CKR[,CKR…]        call, and answer one of these to what went well
//   FUNCTIONS delay MS               wait, then call
//   FUNCTIONS block                  wait until the command file no longer has a block for the function
//   FUNCTIONS drop-sessions          close all sessions of the application, then call; once, unless times or chance
//   FUNCTIONS logout                 log out, then call; once, unless times or chance
//   FUNCTIONS vanish                 from here on, until the command is gone, there is no token
//   FUNCTIONS corrupt                flip a bit of the answer
//   C_Encrypt iv zero|other          overwrite the IV in the parameter of AES-GCM afterwards
//   FUNCTIONS insensitive            make new keys readable: not CKA_SENSITIVE, but CKA_EXTRACTABLE
//   C_GetTokenInfo flags MASK        set these CKF_ bits in the answer
//   C_GetAttributeValue lie CKA VALUE  answer this CK_BBOOL for that attribute (hexadecimal)
// Each may go on with:
//   times N                          N times, then no more
//   skip N                           after N calls
//   chance P%                        at random, in so many of a hundred calls
//   seed N                           other random decisions
// A changed file starts all counts anew. Replace the file by rename, so that no half of it is ever read. While it has
// a mistake in it, every call answers CKR_ARGUMENTS_BAD.

#endif
