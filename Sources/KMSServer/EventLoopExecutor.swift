import NIOCore
import NIOPosix

/// Runs tasks on the event loops of the HTTP server, so that a request that waits for nobody is answered on the thread
/// that read it: every hop to another thread costs a wake-up (docs/benchmarks.md).
///
/// What runs here must not block. Calls into a token run on the token's own threads and database writes on the
/// writer's; that is what makes this possible.
final class EventLoopExecutor: TaskExecutor {
    private let group: MultiThreadedEventLoopGroup

    init(_ group: MultiThreadedEventLoopGroup) { self.group = group }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // On an event loop `any` is that loop.
        group.any().execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
