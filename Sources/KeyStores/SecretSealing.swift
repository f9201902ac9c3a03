public import SecureMemory

/// Seals secrets for the database, under the installation's root key.
public protocol SecretSealing: Sendable {
    /// `purpose` separates uses of the root key; `associatedData` binds the sealed bytes to their place.
    func seal(_ secret: SecretBytes, purpose: String, associatedData: [UInt8]) throws -> [UInt8]
    func open(_ sealed: [UInt8], purpose: String, associatedData: [UInt8]) throws -> SecretBytes
}
