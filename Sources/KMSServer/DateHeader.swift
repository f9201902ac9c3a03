internal import KMSCore
internal import SigV4
internal import Synchronization

/// The Date header, made once a second. SDKs correct their clocks by it.
final class DateHeader: Sendable {
    private let current = Mutex((second: -1, text: ""))

    var now: String {
        let second = Int(DomainClock.wallTime())
        return current.withLock { current in
            if current.second != second { current = (second, WireTime.imfFixdate(Int64(second))) }
            return current.text
        }
    }
}
