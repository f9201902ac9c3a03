import Glibc

/// What a process with key material in its memory does to keep it there.
enum ProcessProtection {
    /// A core dump would hold key material.
    static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(4), &limit)  // RLIMIT_CORE
    }

    /// Ends the process, as a success unless it is told otherwise, without what libraries do at the end of processes:
    /// they would tear down a module while a call is still inside it.
    static func leave(with code: Int32 = 0) -> Never {
        _exit(code)
    }
}
