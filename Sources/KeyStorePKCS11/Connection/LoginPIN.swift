internal import SecureMemory
internal import Synchronization

/// The PINs that a login may use: the one that logged in, and one that was given since, because somebody changes the
/// PIN of the token. The next C_Login takes the new one first and falls back to the old, so that a wrong password of
/// one key store costs the others nothing. A PIN that the token has refused is gone for good.
final class LoginPIN: Sendable {
    private struct State {
        /// The one to try first comes first.
        var pins: [SecretBytes]
        /// The one that logged in last.
        var accepted: SecretBytes
        var refused: [SecretBytes] = []
    }

    /// What the login was asked for with.
    let first: SecretBytes
    /// Whether an earlier process died in a login with it: the token may have refused it.
    let isUndecided: Bool
    private let state: Mutex<State>
    /// Reads the PIN where the device's configuration says it is; nil for one that a key store's password is.
    private let reread: (@Sendable () -> SecretBytes?)?

    init(_ pin: SecretBytes, isUndecided: Bool = false, reread: (@Sendable () -> SecretBytes?)? = nil) {
        first = pin
        self.isUndecided = isUndecided
        state = Mutex(State(pins: [pin], accepted: pin))
        self.reread = reread
    }

    /// Whether a key store with this password may join the login. Takes the same time for every PIN of one that may.
    func admits(_ pin: SecretBytes) -> Bool {
        state.withLock { state in state.pins.contains { Self.areEqual($0, pin) } }
    }

    func renew(_ pin: SecretBytes) {
        state.withLock { state in
            guard !(state.pins + state.refused).contains(where: { Self.areEqual($0, pin) }) else { return }
            // One that was given before and never tried has been replaced.
            state.pins = [pin] + state.pins.suffix(1)
        }
    }

    /// What the next C_Login may try, in this order. A file that cannot be read now leaves all as it was.
    func candidates() -> [SecretBytes] {
        if let pin = reread?() { renew(pin) }
        return state.withLock { $0.pins }
    }

    func accepted(_ pin: SecretBytes) {
        state.withLock { state in
            state.accepted = pin
            // One that was given since, and was not tried, stays the first.
            state.pins = state.pins.prefix { !Self.areEqual($0, pin) } + [pin]
        }
    }

    /// Whether it was given after the last login.
    func isNew(_ pin: SecretBytes) -> Bool {
        state.withLock { !Self.areEqual($0.accepted, pin) }
    }

    func refused(_ pin: SecretBytes) {
        state.withLock { state in
            state.pins.removeAll { Self.areEqual($0, pin) }
            state.refused.append(pin)
        }
    }

    // MARK: Comparison

    /// Of any device, user name included.
    static let longestByteCount = 2_048

    /// Takes the same time for every PIN: both are laid into blocks of one size, their lengths with them.
    private static func areEqual(_ left: SecretBytes, _ right: SecretBytes) -> Bool {
        let (left, right) = (padded(left), padded(right))
        return left.withBytes { left in right.withBytes { right in constantTimeEquals(left, right) } }
    }

    private static func padded(_ pin: SecretBytes) -> SecretBytes {
        SecretBytes(capacity: longestByteCount + 2) { output in
            pin.withBytes { bytes in
                output.append(UInt8(truncatingIfNeeded: bytes.count >> 8))
                output.append(UInt8(truncatingIfNeeded: bytes.count))
                for index in 0..<longestByteCount { output.append(index < bytes.count ? bytes[index] : 0) }
            }
        }
    }
}
