public import KeyStores
public import SecureMemory
internal import Synchronization

/// Refused PINs in memory, for tests of devices.
public final class RememberedPINs: RefusedPINs {
    private let refused = Mutex<[(device: String, pin: SecretBytes)]>([])

    public init() {}

    /// How many refusals were reported.
    public var count: Int { refused.withLock { $0.count } }

    public func isRefused(_ pin: SecretBytes, device clusterID: String) -> Bool {
        refused.withLock { refused in
            refused.contains { entry in
                entry.device == clusterID
                    && entry.pin.withBytes { left in pin.withBytes { right in constantTimeEquals(left, right) } }
            }
        }
    }

    public func refuse(_ pin: SecretBytes, device clusterID: String) async {
        refused.withLock { $0.append((clusterID, pin)) }
    }
}
