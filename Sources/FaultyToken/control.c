#define _GNU_SOURCE
#include "control.h"
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A file may change twice within one tick of the clock that stamps it, and its inode number may be used again at once.
// So its stamps are believed only when they were this old at the time it was read; until then its bytes are compared.
#define SETTLED_SECONDS 2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char control_path[4096];
static char log_path[4096];

static struct stat seen;
static bool is_seen;
static bool is_settled;
static bool is_understood = true;
static char bytes[65536];
static size_t byte_count;

static void copy_environment(char *target, size_t size, const char *name)
{
    const char *value = getenv(name);
    snprintf(target, size, "%s", value != NULL ? value : "");
}

void control_begin(void)
{
    static char before[sizeof control_path];
    control_lock();
    memcpy(before, control_path, sizeof before);
    copy_environment(control_path, sizeof control_path, "FAULTY_TOKEN_CONTROL");
    copy_environment(log_path, sizeof log_path, "FAULTY_TOKEN_LOG");
    // The same file again: what was counted stays, because a program that recovers calls C_Initialize many times.
    if (strcmp(before, control_path) != 0) {
        is_seen = false;
        is_understood = true;
        commands_clear();
    }
    control_unlock();
}

void control_lock(void)
{
    pthread_mutex_lock(&lock);
}

void control_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void control_log(const char *line)
{
    if (log_path[0] == '\0') return;
    int file = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    char text[4700];
    int length = snprintf(text, sizeof text, "%s\n", line);
    // One write, so that lines of several processes do not mix. A log that cannot be written fails no call.
    if (write(file, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1) < 0) errno = 0;
    close(file);
}

static void complain(const char *reason)
{
    char line[4600];
    snprintf(line, sizeof line, "! %s: %s", control_path, reason);
    control_log(line);
    fprintf(stderr, "FaultyToken: %s: %s\n", control_path, reason);
}

static bool are_same(const struct stat *left, const struct stat *right)
{
    return left->st_ino == right->st_ino && left->st_dev == right->st_dev && left->st_size == right->st_size
        && left->st_mtim.tv_sec == right->st_mtim.tv_sec && left->st_mtim.tv_nsec == right->st_mtim.tv_nsec
        && left->st_ctim.tv_sec == right->st_ctim.tv_sec && left->st_ctim.tv_nsec == right->st_ctim.tv_nsec;
}

static ssize_t read_whole(int file, char *target, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(file, target + length, size - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        length += (size_t)count;
    }
    return (ssize_t)length;
}

static bool refuse(const char *reason)
{
    if (is_understood || is_seen) complain(reason);
    is_understood = is_seen = false;
    commands_clear();
    return false;
}

bool control_refresh(void)
{
    static char fresh[sizeof bytes];
    struct stat now;
    char reason[256];
    if (control_path[0] == '\0' || (stat(control_path, &now) != 0 && errno == ENOENT)) {
        commands_clear();
        is_seen = false;
        return is_understood = true;
    }
    if (is_seen && is_settled && are_same(&now, &seen)) return is_understood;

    int file = open(control_path, O_RDONLY | O_CLOEXEC);
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    ssize_t length = file >= 0 && fstat(file, &now) == 0 ? read_whole(file, fresh, sizeof fresh) : -1;
    if (file >= 0) close(file);
    if (length < 0) return refuse("cannot be read");
    if ((size_t)length == sizeof fresh) return refuse("is too long");

    bool is_new = !is_seen || !are_same(&now, &seen) || (size_t)length != byte_count
        || memcmp(fresh, bytes, byte_count) != 0;
    is_settled = clock.tv_sec - now.st_ctim.tv_sec > SETTLED_SECONDS;
    seen = now;
    is_seen = true;
    if (!is_new) return is_understood;
    byte_count = (size_t)length;
    memcpy(bytes, fresh, byte_count);
    fresh[byte_count] = '\0';
    if (strlen(fresh) != byte_count) {
        snprintf(reason, sizeof reason, "holds a NUL byte");
        is_understood = false;
        commands_clear();
    } else {
        is_understood = commands_read(fresh, reason, sizeof reason);
    }
    if (!is_understood) complain(reason);
    return is_understood;
}
