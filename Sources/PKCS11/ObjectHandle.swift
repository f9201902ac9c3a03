internal import Synchronization

/// One login to one token. Handles of private objects are valid within it and nowhere else.
public struct LoginEpoch: Hashable, Sendable {
    private let number: UInt64

    private static let last = Atomic<UInt64>(0)

    /// A value that no other login of this process has.
    public init() {
        number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue
    }
}

/// A CK_OBJECT_HANDLE and the login that it was found or made in.
///
/// After a logout, a module may give the same number to another object (PKCS#11 v3.1 §4.4); a session therefore
/// refuses a handle of another epoch without asking the token.
public struct ObjectHandle: Hashable, Sendable {
    let rawValue: UInt
    public let epoch: LoginEpoch
}
