import Foundation
package import KMSModel
import Synchronization

/// Domain time: what expiry, deletion and rotation go by. Wall time plus an offset that only the test clock of
/// `strongroom dev` moves, and only forward. Signatures and Date headers go by wall time and never see it.
package final class DomainClock: Sendable {
    private let offsetSeconds: Mutex<Double>

    package init(offsetSeconds: Double) { self.offsetSeconds = Mutex(offsetSeconds) }

    package var now: Timestamp { Timestamp(secondsSinceEpoch: Self.wallTime() + offsetSeconds.withLock { $0 }) }

    package var offset: Double {
        get { offsetSeconds.withLock { $0 } }
        set { offsetSeconds.withLock { $0 = newValue } }
    }

    /// Seconds since 1970, as the operating system tells them.
    package static func wallTime() -> Double { Date().timeIntervalSince1970 }

    /// Seconds since the process began, running on through changes of the wall clock and through suspension.
    package static func monotonicTime() -> Double {
        let elapsed = (ContinuousClock.now - started).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    }

    private static let started = ContinuousClock.now
}

/// Decides whether wall time may be believed enough to destroy key material by it. A value without I/O.
///
/// One bad NTP answer must destroy nothing: after a jump of wall time against monotonic time (or, at start-up,
/// against the time at which the server last looked) destruction waits until both clocks have agreed for a while.
/// Deletion and expiry block the use of a key at once all the same.
package struct ClockTrust: Sendable {
    /// More than daylight-saving mistakes of a second or leap seconds, far less than a deletion window.
    package static let jumpLimitSeconds = 3600.0
    /// How long both clocks must agree after a jump.
    package static let settlingSeconds = 3600.0

    private var wall: Double
    private var monotonic: Double
    private var trustedFrom: Double
    /// Whether material may be destroyed by wall time, as of the last look.
    package private(set) var isTrusted: Bool

    /// - Parameter lastSeen: wall time when the server last looked, before it was started now; nil on the first start.
    package init(wall: Double, monotonic: Double, lastSeen: Double?) {
        self.wall = wall
        self.monotonic = monotonic
        // Standing still for a long time looks like a jump forward, and costs only the settling time.
        let jumped = lastSeen.map { wall < $0 - Self.jumpLimitSeconds || wall > $0 + Self.jumpLimitSeconds } ?? false
        trustedFrom = jumped ? monotonic + Self.settlingSeconds : monotonic
        isTrusted = !jumped
    }

    /// Takes a new look at both clocks.
    package mutating func observe(wall newWall: Double, monotonic newMonotonic: Double) {
        let drift = (newWall - wall) - (newMonotonic - monotonic)
        if abs(drift) > Self.jumpLimitSeconds {
            trustedFrom = newMonotonic + Self.settlingSeconds
            wall = newWall
            monotonic = newMonotonic
        }
        isTrusted = newMonotonic >= trustedFrom
    }
}
