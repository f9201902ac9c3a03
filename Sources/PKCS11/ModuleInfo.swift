internal import CPKCS11

/// CK_INFO, its padding removed: what a module says of itself.
public struct ModuleInfo: Sendable, CustomStringConvertible {
    public let manufacturer: String
    public let libraryDescription: String
    /// Major and minor number, all that the standard has room for: SoftHSM 2.6.1 is 2.6.
    public let libraryVersion: String

    init(_ info: CK_INFO) {
        manufacturer = unpadded(info.manufacturerID)
        libraryDescription = unpadded(info.libraryDescription)
        libraryVersion = "\(info.libraryVersion.major).\(info.libraryVersion.minor)"
    }

    public var description: String { "\(manufacturer), \(libraryDescription), \(libraryVersion)" }
}

extension Module {
    /// C_GetInfo.
    public func info() throws(PKCS11Error) -> ModuleInfo {
        try enter(.getInfo)
        defer { leave() }
        var info = CK_INFO()
        try call(.getInfo) { unsafe $0.C_GetInfo?(&info) }
        return ModuleInfo(info)
    }
}

extension Slot {
    /// C_GetInfo of the module that the slot belongs to.
    public func moduleInfo() throws(PKCS11Error) -> ModuleInfo { try module.info() }
}

/// The text of a fixed-size field. They are padded with blanks; some modules pad with NUL.
func unpadded<Field>(_ field: Field) -> String {
    let bytes = unsafe withUnsafeBytes(of: field) { bytes in unsafe [UInt8](bytes) }
    let end = bytes.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? 0
    return String(decoding: bytes[..<end], as: UTF8.self)
}
