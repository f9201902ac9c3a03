import Glibc

/// Bytes that must not outlive their use: key material, plaintexts, PINs.
///
/// One heap allocation, filled in place once, read through a `Span`, never copied, and cleared with `explicit_bzero`
/// when the last reference goes. A final class rather than a noncopyable value because secrets travel through
/// escaping closures, threads and continuations, which noncopyable values cannot (docs/decisions/0003-secret-bytes.md).
///
/// It has no description, no reflection and no `Codable`, so that no log line and no debugger dump prints it.
@safe
public final class SecretBytes: Sendable, CustomReflectable {
    /// The number of bytes that were written.
    public let count: Int

    private let capacity: Int
    // Written only in `init`, before the object is shared; read-only afterwards; cleared in `deinit`, when nobody
    // else holds it. That makes the pointer safe to share between threads.
    private nonisolated(unsafe) let base: UnsafeMutablePointer<UInt8>

    /// Allocates `capacity` bytes and lets `fill` write up to that many of them.
    ///
    /// When `fill` throws, what it had written is cleared before the error goes on.
    public init<E: Error>(
        capacity: Int, filledBy fill: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        let base = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity, 1))
        let buffer = unsafe UnsafeMutableBufferPointer(start: base, count: capacity)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        do {
            try fill(&output)
        } catch {
            unsafe explicit_bzero(base, capacity)
            unsafe base.deallocate()
            throw error
        }
        self.count = unsafe output.finalize(for: buffer)
        self.capacity = capacity
        unsafe self.base = base
    }

    /// Copies `bytes`; the source stays the caller's to clear.
    public convenience init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count) { output in
            for index in bytes.indices { output.append(bytes[index]) }
        }
    }

    /// Lends the bytes to `body` for the time of the call.
    public func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try unsafe body(Span(_unsafeStart: UnsafePointer(base), count: count))
    }

    deinit {
        unsafe explicit_bzero(base, capacity)
        unsafe base.deallocate()
    }

    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Compares in time that depends on the lengths only.
public func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}

/// Clears an array that held secret bytes for a moment. The array must be the only owner of its storage, or the
/// clearing would act on a copy.
public func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        if let base = buffer.baseAddress { unsafe explicit_bzero(base, buffer.count) }
    }
}
