#define _GNU_SOURCE
#include "faults.h"
#include "commands.h"
#include "control.h"

#include <errno.h>
#include <string.h>
#include <time.h>

// Guarded by the lock of control.h.
static bool token_is_gone;

static void wait_milliseconds(unsigned long milliseconds)
{
    struct timespec pause = {
        .tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000) * 1000000,
    };
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) { }
}

/// Whether the token is gone: since this call, or since one of another function.
static bool vanishes(enum function function)
{
    struct command *command;
    for (size_t index = 0; (command = command_next(VANISH, function, &index)) != NULL;)
        command->has_begun = command->has_begun || command_has_turn(command);
    return commands_have_begun();
}

static bool is_blocked(enum function function)
{
    size_t index = 0;
    control_lock();
    control_refresh();
    bool is_blocked = command_next(BLOCK, function, &index) != NULL;
    control_unlock();
    return is_blocked;
}

void faults_before(enum function function, struct faults *faults)
{
    memset(faults, 0, sizeof *faults);
    unsigned long milliseconds = 0;
    bool blocks = false;

    control_lock();
    control_log(function_names[function]);
    if (control_refresh()) {
        struct command *command = command_take(DELAY, function);
        if (command != NULL) milliseconds = command->argument;
        blocks = command_take(BLOCK, function) != NULL;
        if ((command = command_take(RETURN, function)) != NULL) {
            faults->is_answered = true;
            faults->answer = command_answer(command);
        }
        if ((command = command_take(LOSE, function)) != NULL) {
            faults->is_lost = true;
            faults->lost = command_answer(command);
        }
        bool is_gone = vanishes(function);
        // A token that was pulled has lost its sessions for good.
        faults->drops_sessions = command_take(DROP_SESSIONS, function) != NULL || (is_gone && !token_is_gone);
        faults->logs_out = command_take(LOGOUT, function) != NULL;
        token_is_gone = is_gone;
    } else {
        // Nobody is to wonder why a fault does not come: with a mistake in the commands nothing works.
        faults->is_answered = true;
        faults->answer = CKR_ARGUMENTS_BAD;
        token_is_gone = false;
    }
    control_unlock();

    if (milliseconds > 0) wait_milliseconds(milliseconds);
    while (blocks && is_blocked(function)) wait_milliseconds(5);
}

bool faults_token_is_gone(void)
{
    control_lock();
    bool is_gone = token_is_gone;
    control_unlock();
    return is_gone;
}

bool faults_insensitive(enum function function)
{
    control_lock();
    bool is_so = command_take(INSENSITIVE, function) != NULL;
    control_unlock();
    return is_so;
}

void faults_corrupt(enum function function, unsigned char *output, CK_ULONG length)
{
    if (output == NULL || length == 0) return;
    control_lock();
    // In the last byte: of a tag, of a number, of a text alike.
    if (command_take(CORRUPT, function) != NULL) output[length - 1] ^= 1;
    control_unlock();
}

void faults_overwrite_iv(unsigned char *iv, CK_ULONG length)
{
    control_lock();
    const struct command *command = command_take(IV, F_C_Encrypt);
    if (command != NULL && command->argument != 0) memset(iv, 0, length);
    else if (command != NULL) iv[0] ^= 0x80;
    control_unlock();
}

CK_FLAGS faults_token_flags(void)
{
    CK_FLAGS flags = 0;
    struct command *command;
    control_lock();
    for (size_t index = 0; (command = command_next(FLAGS, F_C_GetTokenInfo, &index)) != NULL;)
        if (command_has_turn(command)) flags |= command->argument;
    control_unlock();
    return flags;
}

void faults_lie(CK_ATTRIBUTE_PTR attributes, CK_ULONG count)
{
    struct command *command;
    control_lock();
    for (size_t index = 0; (command = command_next(LIE, F_C_GetAttributeValue, &index)) != NULL;) {
        if (!command_has_turn(command)) continue;
        for (CK_ULONG which = 0; which < count; which++) {
            if (attributes[which].type != command->argument || attributes[which].pValue == NULL
                || attributes[which].ulValueLen != sizeof(CK_BBOOL)) continue;
            *(CK_BBOOL *)attributes[which].pValue = (CK_BBOOL)command->value;
        }
    }
    control_unlock();
}
