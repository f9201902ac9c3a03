import Dispatch
package import KMSModel
package import Logging
import Synchronization

/// The metadata of the installation: read from memory, changed by one writer.
///
/// A change is made durable first, then published to readers, then acknowledged: whoever was told that a key is
/// disabled will find it disabled (docs/decisions/0004-metadata-in-memory.md).
package final class Metadata: Sendable {
    private let directory: Mutex<Directory>
    private let writer: Writer

    /// Reads everything from `store`.
    package init(_ store: any MetadataStore, logger: Logger) throws(MetadataStoreError) {
        directory = Mutex(Directory(try store.load()))
        writer = Writer(store, logger)
    }

    /// Lends the current metadata to `body`, which must be short: readers exclude each other while it runs.
    package func read<R: Sendable>(_ body: (borrowing Directory) -> R) -> R {
        directory.withLock { directory in body(directory) }
    }

    /// As `read`, for a `body` that may refuse.
    package func read<R: Sendable>(_ body: (borrowing Directory) throws(KMSError) -> R) throws(KMSError) -> R {
        try directory.withLock { directory throws(KMSError) in try body(directory) }
    }

    /// Lets `body` decide on changes while nobody else can change anything, and commits them.
    ///
    /// When `check` or `body` throws, or the commit fails, nothing has changed. A failed commit answers
    /// KMSInternalException.
    /// - Parameter check: runs before, when it is this change's turn, and may take its time: readers are not kept
    ///   waiting.
    @discardableResult
    package func write<R: Sendable>(
        after check: @escaping @Sendable (Metadata) throws(KMSError) -> Void = { _ in },
        _ body: @escaping @Sendable (borrowing Directory, inout [MetadataChange]) throws(KMSError) -> R
    ) async throws(KMSError) -> R {
        try await writer.write(to: self, check, body)
    }

    fileprivate func publish(_ changes: [MetadataChange]) {
        directory.withLock { directory in
            for change in changes { directory.apply(change) }
        }
    }
}

/// Serialises changes on a thread of its own, because a commit blocks on the disk.
private actor Writer {
    private let store: any MetadataStore
    private let logger: Logger
    private nonisolated let executor = QueueExecutor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(_ store: any MetadataStore, _ logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Never inlined: inlined into its caller, Swift 6.3.1 takes the lock of the metadata on the caller's thread,
    /// before the hop to this actor, and gives it back on the writer's, which traps.
    @inline(never)
    func write<R: Sendable>(
        to metadata: Metadata, _ check: @Sendable (Metadata) throws(KMSError) -> Void,
        _ body: @Sendable (borrowing Directory, inout [MetadataChange]) throws(KMSError) -> R
    ) throws(KMSError) -> R {
        // No suspension between checking and publishing: that is what makes this the one writer.
        try check(metadata)
        let (result, changes) = try metadata.read { directory throws(KMSError) in
            var changes: [MetadataChange] = []
            let result = try body(directory, &changes)
            return (result, changes)
        }
        if changes.isEmpty { return result }
        do {
            try store.commit(changes)
        } catch {
            logger.error("a change could not be stored", metadata: ["error": "\(error)"])
            throw .metadataNotWritten
        }
        metadata.publish(changes)
        return result
    }
}

/// Runs an actor's jobs on a serial dispatch queue, outside of the cooperative thread pool.
private final class QueueExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "strongroom.metadata")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
