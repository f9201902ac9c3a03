#ifndef STRONGROOM_FAULTY_CONTROL_H
#define STRONGROOM_FAULTY_CONTROL_H

#include <stdbool.h>

/// Reads the environment and forgets what was read before.
void control_begin(void);

/// Everything about commands happens under this lock. It is never held over a call of the real module or a wait.
void control_lock(void);
void control_unlock(void);

// With the lock held:

/// Reads the commands again if their file has changed.
///
/// - Returns: false as long as the file cannot be understood; what is wrong has been told to the log and to standard
///   error then, once for each change.
bool control_refresh(void);

/// Appends one line to the log.
void control_log(const char *line);

#endif
