public import KMSPolicy
public import SecureMemory

/// One access key and whose it is.
public struct AccessKey: Sendable {
    public let id: String
    public let secret: SecretBytes
    public let principal: Principal

    public init(id: String, secret: SecretBytes, principal: Principal) {
        self.id = id
        self.secret = secret
        self.principal = principal
    }
}

/// Everyone who is known, and the long-term access keys that requests may be signed with: what the principals file
/// says.
public struct Principals: Sendable {
    // One reference, so that a request takes hold of all of it at the price of one.
    private final class Contents: Sendable {
        let directory: PrincipalDirectory
        let accessKeys: [String: AccessKey]

        init(directory: PrincipalDirectory, accessKeys: [String: AccessKey]) {
            self.directory = directory
            self.accessKeys = accessKeys
        }
    }

    private let contents: Contents

    /// Of access keys with the same id the last one counts; whoever reads the principals file refuses duplicates. An id
    /// that begins with `ASIA` is left out: such ids belong to role sessions.
    public init(directory: PrincipalDirectory, accessKeys: [AccessKey]) {
        contents = Contents(
            directory: directory,
            accessKeys: Dictionary(
                accessKeys.filter { !SessionCredentials.isAccessKeyID($0.id) }.map { ($0.id, $0) },
                uniquingKeysWith: { $1 }))
    }

    public var directory: PrincipalDirectory { contents.directory }

    public func accessKey(_ id: String) -> AccessKey? { contents.accessKeys[id] }

    /// Whether both are the very same value, so that what was made of one still holds for the other.
    func isSame(as other: Principals) -> Bool { contents === other.contents }
}
