public import KeyStores
public import SecureMemory
internal import Synchronization

/// PINs that were refused or are being tried, in memory, for tests of devices.
public final class RememberedPINs: RefusedPINs {
    private typealias Entry = (device: String, pin: SecretBytes)
    private let refused = Mutex<[Entry]>([])
    private let undecided = Mutex<[Entry]>([])

    public init() {}

    /// How many refusals were reported.
    public var count: Int { refused.withLock { $0.count } }

    public func isRefused(_ pin: SecretBytes, device clusterID: String) -> Bool {
        refused.withLock { refused in refused.contains { Self.areEqual($0, (clusterID, pin)) } }
    }

    public func refuse(_ pin: SecretBytes, device clusterID: String) async {
        refused.withLock { $0.append((clusterID, pin)) }
    }

    public func isUndecided(_ pin: SecretBytes, device clusterID: String) -> Bool {
        undecided.withLock { undecided in undecided.contains { Self.areEqual($0, (clusterID, pin)) } }
    }

    public func beginLogin(_ pin: SecretBytes, device clusterID: String) async {
        undecided.withLock { $0.append((clusterID, pin)) }
    }

    public func endLogin(_ pin: SecretBytes, device clusterID: String) async {
        undecided.withLock { undecided in undecided.removeAll { Self.areEqual($0, (clusterID, pin)) } }
    }

    private static func areEqual(_ left: Entry, _ right: Entry) -> Bool {
        left.device == right.device
            && left.pin.withBytes { left in right.pin.withBytes { right in constantTimeEquals(left, right) } }
    }
}
