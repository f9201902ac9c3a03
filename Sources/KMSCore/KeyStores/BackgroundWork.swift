/// Work that goes on after its request was answered, such as the login of ConnectCustomKeyStore. One task group runs
/// all of it, so that none outlives the server.
public final class BackgroundWork: Sendable {
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let submission: AsyncStream<@Sendable () async -> Void>.Continuation

    public init() { (jobs, submission) = AsyncStream.makeStream() }

    func submit(_ job: @escaping @Sendable () async -> Void) { submission.yield(job) }

    /// Runs what is submitted until the surrounding task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs { group.addTask(operation: job) }
            group.cancelAll()
        }
    }

    /// Accepts no more work; `run` returns when the rest is done.
    public func stop() { submission.finish() }
}
