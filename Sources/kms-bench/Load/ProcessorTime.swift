internal import Foundation
internal import Glibc

/// CPU time of processes.
enum ProcessorTime {
    /// User and system time of all threads of a process, ended ones included: fields 14 and 15 of /proc/PID/stat
    /// (proc(5)), in ticks of 10 ms on Linux. Over a few seconds of load that is well below one per cent.
    static func seconds(of processID: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
        // The second field, the name, may hold anything; the last parenthesis ends it.
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchmarkError("/proc/\(processID)/stat is not understood")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// CPU time of this process per call of `body`, in microseconds: the best of five rounds of `count` calls each.
    ///
    /// The best, because a floor is what the operation costs when nothing disturbs it; a disturbed floor would flatter
    /// what is compared with it.
    static func microseconds(perCallOf count: Int, _ body: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = clock()
            for _ in 0..<count { try body() }
            best = min(best, Double(clock() - start) / Double(count) * 1e6 / Double(CLOCKS_PER_SEC))
        }
        return best
    }
}
