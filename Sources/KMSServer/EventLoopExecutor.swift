internal import NIOCore

/// Runs tasks on one event loop of the HTTP server, so that a request that waits for nobody is answered on the thread
/// that read it: every hop to another thread costs a wake-up (docs/benchmarks.md).
///
/// What runs here must not block. Calls into a token run on the token's own threads and database writes on the
/// writer's; that is what makes this possible.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
