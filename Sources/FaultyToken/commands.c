#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALWAYS 1000000u
#define BLANKS " \t\r"

const char *const function_names[FUNCTION_COUNT] = {
#define X(name) [F_##name] = #name,
    FAULTY_FUNCTIONS(X)
#undef X
};

static struct command commands[256];
static size_t command_count;

void commands_clear(void)
{
    command_count = 0;
}

// MARK: Turns

// Steele, Lea and Flood's SplitMix64: the same decisions for the same seed on every machine.
static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

bool command_has_turn(struct command *command)
{
    if (command->times == 0) return false;
    if (command->skip > 0) {
        command->skip--;
        return false;
    }
    if (command->chance < ALWAYS && next_random(&command->random_state) % ALWAYS >= command->chance) return false;
    if (command->times > 0) command->times--;
    return true;
}

struct command *command_next(enum verb verb, enum function function, size_t *index)
{
    while (*index < command_count) {
        struct command *command = &commands[(*index)++];
        if (command->verb == verb && command->functions[function]) return command;
    }
    return NULL;
}

struct command *command_take(enum verb verb, enum function function)
{
    size_t index = 0;
    struct command *command;
    while ((command = command_next(verb, function, &index)) != NULL)
        if (command_has_turn(command)) return command;
    return NULL;
}

bool commands_have_begun(void)
{
    bool have = false;
    for (size_t index = 0; index < command_count; index++) have |= commands[index].has_begun;
    return have;
}

CK_RV command_answer(struct command *command)
{
    if (command->answer_count == 1) return command->answers[0];
    return command->answers[next_random(&command->random_state) % command->answer_count];
}

// MARK: Reading

// What a verb can be said of; NULL: of every function.
static const char *const outputs =
    "C_GetOperationState,C_Encrypt,C_EncryptUpdate,C_EncryptFinal,C_Decrypt,C_DecryptUpdate,C_DecryptFinal,C_Digest,"
    "C_DigestFinal,C_Sign,C_SignFinal,C_SignRecover,C_VerifyRecover,C_DigestEncryptUpdate,C_DecryptDigestUpdate,"
    "C_SignEncryptUpdate,C_DecryptVerifyUpdate,C_WrapKey,C_GenerateRandom";
static const char *const templates = "C_CreateObject,C_GenerateKey,C_GenerateKeyPair,C_UnwrapKey,C_DeriveKey";

enum arguments { NOTHING, ANSWERS, MILLISECONDS, ZERO_OR_OTHER, MASK, ATTRIBUTE };

static const struct {
    const char *name;
    enum verb verb;
    enum arguments arguments;
    const char *functions;
    long times;
} verbs[] = {
    { "return", RETURN, ANSWERS, NULL, -1 },       { "lose", LOSE, ANSWERS, NULL, -1 },
    { "delay", DELAY, MILLISECONDS, NULL, -1 },    { "block", BLOCK, NOTHING, NULL, -1 },
    { "drop-sessions", DROP_SESSIONS, NOTHING, NULL, 1 }, { "logout", LOGOUT, NOTHING, NULL, 1 },
    { "vanish", VANISH, NOTHING, NULL, -1 },       { "corrupt", CORRUPT, NOTHING, outputs, -1 },
    { "iv", IV, ZERO_OR_OTHER, "C_Encrypt", -1 },  { "insensitive", INSENSITIVE, NOTHING, templates, -1 },
    { "flags", FLAGS, MASK, "C_GetTokenInfo", -1 }, { "lie", LIE, ATTRIBUTE, "C_GetAttributeValue", -1 },
};

static bool read_number(const char *word, int base, unsigned long limit, unsigned long *number)
{
    char *end = NULL;
    if (word == NULL || *word == '\0' || *word == '-' || *word == '+') return false;
    *number = strtoul(word, &end, base);
    return *end == '\0' && *number <= limit;
}

/// Names with commas between them, each perhaps with a * at its end. False: `*wrong` names none.
static bool read_functions(char *words, bool functions[FUNCTION_COUNT], const char **wrong)
{
    char *rest = NULL;
    for (char *word = strtok_r(words, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        size_t length = strlen(word);
        bool is_prefix = length > 0 && word[length - 1] == '*';
        bool is_known = false;
        for (int index = 0; index < FUNCTION_COUNT; index++) {
            const char *name = function_names[index];
            if (is_prefix ? strncmp(name, word, length - 1) != 0 : strcmp(name, word) != 0) continue;
            functions[index] = is_known = true;
        }
        *wrong = word;
        if (!is_known) return false;
    }
    return true;
}

/// Leaves only those that the verb can be said of; false: none is left.
static bool keep_possible(const char *possible, bool functions[FUNCTION_COUNT])
{
    char names[512];
    bool are_possible[FUNCTION_COUNT] = { false };
    const char *wrong = NULL;
    bool is_any = false;
    if (possible == NULL) return true;
    snprintf(names, sizeof names, "%s", possible);
    read_functions(names, are_possible, &wrong);
    for (int index = 0; index < FUNCTION_COUNT; index++) is_any |= functions[index] &= are_possible[index];
    return is_any;
}

static const char *read_answers(struct command *command, char *words)
{
    char *rest = NULL;
    for (char *word = words ? strtok_r(words, ",", &rest) : NULL; word != NULL; word = strtok_r(NULL, ",", &rest)) {
        if (command->answer_count == sizeof command->answers / sizeof command->answers[0]) return "too many CKR";
        if (!read_number(word, 16, ~0ul, &command->answers[command->answer_count++])) return "CKR is not hexadecimal";
    }
    return command->answer_count > 0 ? NULL : "no CKR is given";
}

static const char *read_arguments(struct command *command, enum arguments arguments, char **rest)
{
    switch (arguments) {
    case NOTHING: return NULL;
    case ANSWERS: return read_answers(command, strtok_r(NULL, BLANKS, rest));
    case MILLISECONDS:
        return read_number(strtok_r(NULL, BLANKS, rest), 10, 86400000, &command->argument)
            ? NULL : "the delay is no number of milliseconds up to a day";
    case ZERO_OR_OTHER: {
        const char *word = strtok_r(NULL, BLANKS, rest);
        if (word == NULL || (strcmp(word, "zero") != 0 && strcmp(word, "other") != 0)) return "iv is zero or other";
        command->argument = strcmp(word, "zero") == 0;
        return NULL;
    }
    case MASK:
        return read_number(strtok_r(NULL, BLANKS, rest), 16, ~0ul, &command->argument)
            ? NULL : "MASK is not hexadecimal";
    case ATTRIBUTE:
        return read_number(strtok_r(NULL, BLANKS, rest), 16, ~0ul, &command->argument)
                && read_number(strtok_r(NULL, BLANKS, rest), 16, 255, &command->value)
            ? NULL : "CKA and VALUE are not hexadecimal, or VALUE is longer than a byte";
    }
    return "unknown arguments";
}

static const char *read_options(struct command *command, char **rest)
{
    bool has_times = false;
    for (char *word; (word = strtok_r(NULL, BLANKS, rest)) != NULL;) {
        char *value = strtok_r(NULL, BLANKS, rest);
        unsigned long number = 0;
        if (command->verb == VANISH && strcmp(word, "skip") != 0) return "vanish lasts until it is taken away";
        if (strcmp(word, "times") == 0) {
            if (!read_number(value, 10, 1ul << 30, &number)) return "times is no number";
            command->times = (long)number;
            has_times = true;
        } else if (strcmp(word, "skip") == 0) {
            if (!read_number(value, 10, 1ul << 30, &number)) return "skip is no number";
            command->skip = (long)number;
        } else if (strcmp(word, "chance") == 0) {
            char *end = NULL;
            double percent = value != NULL ? strtod(value, &end) : 0;
            if (value == NULL || end == value || strcmp(end, "%") != 0 || !(percent > 0 && percent <= 100))
                return "chance is a percentage such as 5% or 0.1%";
            command->chance = (uint32_t)(percent * ALWAYS / 100);
            if (!has_times) command->times = -1;
        } else if (strcmp(word, "seed") == 0) {
            if (!read_number(value, 10, ~0ul, &number)) return "seed is no number";
            command->random_state = number;
        } else {
            return "unknown option: times, skip, chance and seed are known";
        }
    }
    return NULL;
}

/// NULL, or what is wrong.
static const char *read_command(struct command *command, char *line)
{
    char *rest = NULL;
    const char *wrong = NULL;
    char *functions = strtok_r(line, BLANKS, &rest);
    const char *verb = strtok_r(NULL, BLANKS, &rest);
    if (verb == NULL) return "a command has a function and a verb";
    if (!read_functions(functions, command->functions, &wrong)) return "unknown function";
    for (size_t index = 0; index < sizeof verbs / sizeof verbs[0]; index++) {
        if (strcmp(verb, verbs[index].name) != 0) continue;
        command->verb = verbs[index].verb;
        command->times = verbs[index].times;
        if (!keep_possible(verbs[index].functions, command->functions)) return "the verb means nothing there";
        wrong = read_arguments(command, verbs[index].arguments, &rest);
        return wrong != NULL ? wrong : read_options(command, &rest);
    }
    return "unknown verb";
}

bool commands_read(char *text, char *reason, size_t reason_size)
{
    commands_clear();
    unsigned number = 0;
    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');
        char *next = end != NULL ? end + 1 : NULL;
        if (end != NULL) *end = '\0';
        line[strcspn(line, "#")] = '\0';
        number++;
        if (line[strspn(line, BLANKS)] != '\0') {
            struct command command = { .chance = ALWAYS, .random_state = 1 };
            const char *wrong = command_count < sizeof commands / sizeof commands[0]
                ? read_command(&command, line) : "too many commands";
            if (wrong != NULL) {
                snprintf(reason, reason_size, "line %u: %s", number, wrong);
                commands_clear();
                return false;
            }
            commands[command_count++] = command;
        }
        line = next;
    }
    return true;
}
