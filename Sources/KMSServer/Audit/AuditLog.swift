internal import Cryptography
internal import Dispatch
internal import Foundation
public import KMSCore
internal import KMSModel
public import Logging
internal import Synchronization

/// Writes audit lines: one line for each call, each tied to the one before (docs/audit.md).
///
/// A line is handed to the operating system before its call is answered, so that no crash of this process loses it: the
/// write goes to the page cache and takes microseconds, less than a hop to another thread. Bringing lines to the disk
/// is batched, on a thread of its own; `required` waits for it.
public final class AuditLog: Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// A line that cannot be written is logged.
        case on
        /// A call is answered once its line is on the disk, and refused when that is not possible.
        case required
    }

    /// The name of the directory in the data directory.
    public static let directoryName = "audit"

    /// A new file begins when this would be exceeded, and each day (UTC).
    package static let maximumFileBytes = 64 << 20

    /// How long a line may wait for the disk where nobody waits for it.
    private static let syncInterval = DispatchTimeInterval.seconds(1)

    private struct State {
        var chain: AuditChain
        var file: AuditFile?
        var fileBytes = 0
        var day = 0
        /// How many lines could not be written since one was.
        var lost = 0
        /// Files that are full but not on the disk yet.
        var retired: [AuditFile] = []
        /// Whether a file was made since the directory was synced.
        var directoryChanged = false
        /// The number of the last line that is on the disk.
        var synced: UInt64
        var syncIsScheduled = false
        /// Where lines are required.
        var reserve: AuditReserve
        var waiters: [(sequence: UInt64, continuation: CheckedContinuation<AuditError?, Never>)] = []
    }

    let mode: Mode
    private let directory: String
    private let fileByteLimit: Int
    private let logger: Logger
    private let state: Mutex<State>
    private let syncQueue = DispatchQueue(label: "strongroom.audit")

    /// Goes on after the last line of `directory`, which is made when it is not there. One log writes to a directory.
    ///
    /// Errors: a directory that cannot be written, or a last line that is no audit line.
    public convenience init(directory: String, mode: Mode, logger: Logger) throws(AuditError) {
        try self.init(directory: directory, mode: mode, fileByteLimit: Self.maximumFileBytes, logger: logger)
    }

    package init(directory: String, mode: Mode, fileByteLimit: Int, logger: Logger) throws(AuditError) {
        self.directory = directory
        self.mode = mode
        self.fileByteLimit = fileByteLimit
        self.logger = logger
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw AuditError("\(directory) cannot be made: \(error.localizedDescription)")
        }
        let end = try AuditEnd(of: directory)
        if end.cutBytes > 0 {
            logger.warning(
                "half a line was cut off the end of the audit log, as a power cut leaves it",
                metadata: ["file": "\(end.path ?? "")", "bytes": "\(end.cutBytes)"])
        }
        state = Mutex(
            State(
                chain: end.chain,
                file: try end.path.map { path throws(AuditError) in try AuditFile(path, isNew: false) },
                fileBytes: end.length, day: end.day, synced: end.chain.sequence,
                reserve: AuditReserve(directory: directory)))
    }

    // MARK: Writing

    /// Writes a line and, where that is required, waits until it is on the disk.
    package func record(_ object: [UInt8]) async throws(AuditError) {
        let sequence = try append(object)
        guard mode == .required else { return }
        if let error = await withCheckedContinuation({ wait(for: sequence, $0) }) { throw error }
    }

    /// Hands a line to the operating system. Returns its number.
    @discardableResult
    package func append(_ object: [UInt8]) throws(AuditError) -> UInt64 {
        let (sequence, syncs) = try state.withLock { state throws(AuditError) in
            do throws(AuditError) {
                try writeLoss(&state)
                try write(object, &state)
            } catch {
                state.lost += 1
                throw error
            }
            defer { state.syncIsScheduled = true }
            return (state.chain.sequence, !state.syncIsScheduled)
        }
        if syncs { syncQueue.asyncAfter(deadline: .now() + Self.syncInterval) { self.sync() } }
        return sequence
    }

    /// A line for something that the service did by itself.
    public func record(_ event: ServiceEvent) {
        do throws(AuditError) { try append(AuditEvents.encode(event)) } catch {
            logger.error(
                "an audit line was not written",
                metadata: ["event": "\(event.name)", "key": "\(event.key?.arn ?? "none")", "error": "\(error)"])
        }
    }

    /// Throws when lines cannot be written at the moment, as far as that is known: for those who must not act then.
    package func checkReadiness() throws(AuditError) {
        guard mode == .required else { return }
        try state.withLock { state throws(AuditError) in
            try state.reserve.fill()
            try writeLoss(&state)
        }
    }

    /// Waits until everything is on the disk. For the end of the process.
    public func close() {
        syncQueue.sync { sync() }
        _ = state.withLock { $0.reserve.release() }
    }

    private func writeLoss(_ state: inout State) throws(AuditError) {
        guard state.lost > 0 else { return }
        let lost = state.lost
        try write(AuditEvents.encodeLoss(of: lost, at: Timestamp(secondsSinceEpoch: DomainClock.wallTime())), &state)
        state.lost = 0
        logger.notice("audit lines can be written again", metadata: ["lost": "\(lost)"])
    }

    private func write(_ object: [UInt8], _ state: inout State) throws(AuditError) {
        let line: [UInt8]
        let chain: AuditChain
        do { (line, chain) = try state.chain.appending(object) } catch {
            throw AuditError("a line cannot be digested: \(error)")
        }
        let day = Int(DomainClock.wallTime() / 86_400)
        // An empty file has the name that a new one would have.
        let isFull = state.fileBytes > 0 && (day != state.day || state.fileBytes + line.count > fileByteLimit)
        if state.file == nil || isFull {
            let path = directory + "/" + AuditFile.name(firstLine: chain.sequence)
            let file = try AuditFile(path, isNew: true)
            if let full = state.file { state.retired.append(full) }
            (state.file, state.fileBytes, state.day, state.directoryChanged) = (file, 0, day, true)
        }
        guard let file = state.file else { throw AuditError("no file is open") }
        do throws(AuditError) {
            try file.append(line, at: state.fileBytes)
        } catch {
            guard state.reserve.release() else { throw error }
            try file.append(line, at: state.fileBytes)
        }
        state.fileBytes += line.count
        state.chain = chain
    }

    // MARK: The disk

    private func wait(for sequence: UInt64, _ continuation: CheckedContinuation<AuditError?, Never>) {
        let isThere = state.withLock { state in
            if state.synced >= sequence { return true }
            state.waiters.append((sequence, continuation))
            return false
        }
        // Those who come while one sync runs are served by the next one, together.
        if isThere { continuation.resume(returning: nil) } else { syncQueue.async { self.sync() } }
    }

    /// On the queue only.
    private func sync() {
        let (files, sequence, syncsDirectory) = state.withLock { state in
            state.syncIsScheduled = false
            let files = state.synced < state.chain.sequence ? state.retired + (state.file.map { [$0] } ?? []) : []
            return (files, state.chain.sequence, state.directoryChanged)
        }
        var failure: AuditError?
        do throws(AuditError) {
            for file in files { try file.sync() }
            if syncsDirectory { try AuditFile.syncDirectory(directory) }
        } catch {
            failure = error
            logger.error("audit lines are not on the disk", metadata: ["error": "\(error)"])
        }
        let served = state.withLock { state in
            if failure == nil {
                state.synced = sequence
                state.retired.removeAll { retired in files.contains { $0 === retired } }
                if syncsDirectory { state.directoryChanged = false }
            } else if let file = state.file, state.fileBytes > 0 {
                // What a failed sync leaves in the page cache may look as if it were on the disk: the next line begins
                // a new file, and says that others may be lost.
                state.lost += Int(sequence - state.synced)
                state.retired.append(file)
                state.file = nil
            }
            let served = state.waiters.filter { $0.sequence <= sequence }
            state.waiters.removeAll { $0.sequence <= sequence }
            return served
        }
        for waiter in served { waiter.continuation.resume(returning: failure) }
    }
}
