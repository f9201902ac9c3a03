#define _GNU_SOURCE
#include "faults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum kind { RETURN, DELAY, BLOCK, FLAGS, LIE };

struct command {
    enum kind kind;
    char function[64];
    unsigned long argument;
    unsigned long value;
    long times; // -1: always
    long skip;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct command commands[64];
static int command_count;
static struct stat last_read;
static char control_path[4096];
static char log_path[4096];

static void copy_environment(char *target, size_t size, const char *name)
{
    const char *value = getenv(name);
    snprintf(target, size, "%s", value != NULL ? value : "");
}

void faults_begin(void)
{
    pthread_mutex_lock(&lock);
    copy_environment(control_path, sizeof control_path, "FAULTY_TOKEN_CONTROL");
    copy_environment(log_path, sizeof log_path, "FAULTY_TOKEN_LOG");
    pthread_mutex_unlock(&lock);
}

static void parse(char *line)
{
    struct command command = { .times = -1 };
    char *rest = NULL;
    line[strcspn(line, "#\r\n")] = '\0';
    const char *function = strtok_r(line, " \t", &rest);
    const char *verb = strtok_r(NULL, " \t", &rest);
    if (function == NULL || verb == NULL || command_count == (int)(sizeof commands / sizeof commands[0])) return;
    snprintf(command.function, sizeof command.function, "%s", function);
    int arguments = 1;
    int base = 16;
    if (strcmp(verb, "return") == 0) command.kind = RETURN;
    else if (strcmp(verb, "delay") == 0) command.kind = DELAY, base = 10;
    else if (strcmp(verb, "block") == 0) command.kind = BLOCK, arguments = 0;
    else if (strcmp(verb, "flags") == 0) command.kind = FLAGS;
    else if (strcmp(verb, "lie") == 0) command.kind = LIE, arguments = 2;
    else return;
    const char *word = NULL;
    if (arguments > 0 && (word = strtok_r(NULL, " \t", &rest)) != NULL) command.argument = strtoul(word, NULL, base);
    if (arguments > 1 && (word = strtok_r(NULL, " \t", &rest)) != NULL) command.value = strtoul(word, NULL, base);
    while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
        const char *number = strtok_r(NULL, " \t", &rest);
        if (number == NULL) break;
        if (strcmp(word, "times") == 0) command.times = strtol(number, NULL, 10);
        if (strcmp(word, "skip") == 0) command.skip = strtol(number, NULL, 10);
    }
    commands[command_count++] = command;
}

// Called with the lock held.
static void read_if_changed(void)
{
    struct stat now = { 0 };
    if (control_path[0] == '\0' || stat(control_path, &now) != 0) {
        command_count = 0;
        memset(&last_read, 0, sizeof last_read);
        return;
    }
    if (now.st_ino == last_read.st_ino && now.st_size == last_read.st_size
        && now.st_mtim.tv_sec == last_read.st_mtim.tv_sec && now.st_mtim.tv_nsec == last_read.st_mtim.tv_nsec) return;
    FILE *file = fopen(control_path, "re");
    if (file == NULL) return;
    last_read = now;
    command_count = 0;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) parse(line);
    fclose(file);
}

static int matches(const struct command *command, enum kind kind, const char *function)
{
    return command->kind == kind
        && (strcmp(command->function, "*") == 0 || strcmp(command->function, function) == 0);
}

// Called with the lock held. The first command of the kind for the function that still has a turn, and takes one.
static struct command *take(enum kind kind, const char *function)
{
    for (int index = 0; index < command_count; index++) {
        struct command *command = &commands[index];
        if (!matches(command, kind, function) || command->times == 0) continue;
        if (command->skip > 0) {
            command->skip--;
            continue;
        }
        if (command->times > 0) command->times--;
        return command;
    }
    return NULL;
}

static void wait_milliseconds(unsigned long milliseconds)
{
    struct timespec pause = { .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000 };
    nanosleep(&pause, NULL);
}

static void write_log(const char *function)
{
    if (log_path[0] == '\0') return;
    FILE *file = fopen(log_path, "ae");
    if (file == NULL) return;
    fprintf(file, "%s\n", function);
    fclose(file);
}

CK_RV faults_before(const char *function)
{
    pthread_mutex_lock(&lock);
    write_log(function);
    read_if_changed();
    struct command *delay = take(DELAY, function);
    unsigned long milliseconds = delay != NULL ? delay->argument : 0;
    int is_blocked = take(BLOCK, function) != NULL;
    struct command *answer = take(RETURN, function);
    CK_RV result = answer != NULL ? answer->argument : CKR_OK;
    pthread_mutex_unlock(&lock);

    if (milliseconds > 0) wait_milliseconds(milliseconds);
    while (is_blocked) {
        wait_milliseconds(5);
        pthread_mutex_lock(&lock);
        read_if_changed();
        is_blocked = 0;
        for (int index = 0; index < command_count; index++) is_blocked |= matches(&commands[index], BLOCK, function);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

CK_FLAGS faults_token_flags(void)
{
    CK_FLAGS flags = 0;
    pthread_mutex_lock(&lock);
    for (int index = 0; index < command_count; index++)
        if (commands[index].kind == FLAGS) flags |= commands[index].argument;
    pthread_mutex_unlock(&lock);
    return flags;
}

void faults_lie(CK_ATTRIBUTE_PTR attributes, CK_ULONG count)
{
    pthread_mutex_lock(&lock);
    for (int index = 0; index < command_count; index++) {
        if (commands[index].kind != LIE) continue;
        for (CK_ULONG which = 0; which < count; which++) {
            if (attributes[which].type != commands[index].argument || attributes[which].pValue == NULL
                || attributes[which].ulValueLen != sizeof(CK_BBOOL)) continue;
            *(CK_BBOOL *)attributes[which].pValue = (CK_BBOOL)commands[index].value;
        }
    }
    pthread_mutex_unlock(&lock);
}
