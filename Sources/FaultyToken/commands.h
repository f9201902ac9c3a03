#ifndef STRONGROOM_FAULTY_COMMANDS_H
#define STRONGROOM_FAULTY_COMMANDS_H

#include "functions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verb { RETURN, LOSE, DELAY, BLOCK, DROP_SESSIONS, LOGOUT, VANISH, CORRUPT, IV, INSENSITIVE, FLAGS, LIE };

/// One line of the control file.
struct command {
    enum verb verb;
    bool functions[FUNCTION_COUNT];
    CK_RV answers[16];
    unsigned answer_count;
    /// Milliseconds, flags, the attribute that is lied about, or whether the IV becomes zero.
    unsigned long argument;
    unsigned long value;
    /// Turns that are left; -1: no end.
    long times;
    /// Calls that go by first.
    long skip;
    /// Of a million; a million is always.
    uint32_t chance;
    uint64_t random_state;
    /// Of VANISH: it has begun, and lasts until the command is gone.
    bool has_begun;
};

// The commands in force. Whoever calls these holds the lock of control.h.

void commands_clear(void);

/// Puts the commands of `text`, which is changed by it, in the place of all others. With one line that is wrong there
/// are none: false, and what is wrong, for people.
bool commands_read(char *text, char *reason, size_t reason_size);

/// The first command of that kind for the function that has a turn now, which is then taken; NULL: none.
struct command *command_take(enum verb verb, enum function function);

/// The next command of that kind for the function from `*index` on, whether it has a turn or not; NULL: no more.
struct command *command_next(enum verb verb, enum function function, size_t *index);

/// Takes a turn of one command, if it has one now.
bool command_has_turn(struct command *command);

/// Whether a VANISH has begun.
bool commands_have_begun(void);

/// One of the answers of RETURN or LOSE.
CK_RV command_answer(struct command *command);

#endif
