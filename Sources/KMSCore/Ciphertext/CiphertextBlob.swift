package import KeyStores

/// A CiphertextBlob of a symmetric KMS key, version 1. The byte table is docs/ciphertext-blob.md; what is written
/// today must decrypt in ten years, so a change of the layout is a new version.
package struct CiphertextBlob: Hashable, Sendable {
    static let version: UInt8 = 1
    static let materialIDBytes = 32
    static let tagBytes = 16

    package let suite: CiphertextSuite
    package let keyID: String
    package let materialID: [UInt8]
    package let message: SealedMessage

    package init(suite: CiphertextSuite, keyID: String, materialID: [UInt8], message: SealedMessage) {
        self.suite = suite
        self.keyID = keyID
        self.materialID = materialID
        self.message = message
    }

    /// Version, suite, key id and KeyMaterialId: the bytes that are associated data, in front of the encryption
    /// context. Nonce and IV need not be: they are inputs of the cipher, and their lengths are fixed by the suite.
    static func header(suite: CiphertextSuite, keyID: String, materialID: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [version, suite.rawValue]
        bytes.reserveCapacity(64)
        appendKeyID(keyID, to: &bytes)
        bytes += materialID
        return bytes
    }

    package var bytes: [UInt8] {
        var bytes = Self.header(suite: suite, keyID: keyID, materialID: materialID)
        bytes.reserveCapacity(bytes.count + 50 + message.ciphertext.count)
        bytes.append(UInt8(message.nonce.count))
        bytes += message.nonce
        bytes.append(UInt8(message.iv.count))
        bytes += message.iv
        bytes += message.ciphertext
        bytes += message.tag
        return bytes
    }

    /// Nil for anything that this server cannot have written.
    package init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard rest.popFirst() == Self.version, let suite = rest.popFirst().flatMap(CiphertextSuite.init),
            let keyID = Self.takeKeyID(from: &rest),
            let materialID = Self.take(Self.materialIDBytes, from: &rest),
            let nonceBytes = rest.popFirst(), suite.nonceBytes.contains(Int(nonceBytes)),
            let nonce = Self.take(Int(nonceBytes), from: &rest),
            let ivBytes = rest.popFirst(), suite.ivBytes.contains(Int(ivBytes)),
            let iv = Self.take(Int(ivBytes), from: &rest),
            rest.count > Self.tagBytes
        else { return nil }
        self.suite = suite
        self.keyID = keyID
        self.materialID = materialID
        message = SealedMessage(
            nonce: nonce, iv: iv, ciphertext: Array(rest.dropLast(Self.tagBytes)),
            tag: Array(rest.suffix(Self.tagBytes)))
    }

    // MARK: Key ids in 17 bytes

    private static let uuidForm: UInt8 = 0
    private static let multiRegionForm: UInt8 = 1
    private static let multiRegionPrefix = Array("mrk-".utf8)
    private static let dash = UInt8(ascii: "-")

    private static func appendKeyID(_ keyID: String, to bytes: inout [UInt8]) {
        let isMultiRegion = keyID.utf8.starts(with: multiRegionPrefix)
        bytes.append(isMultiRegion ? multiRegionForm : uuidForm)
        var high: UInt8?
        for byte in keyID.utf8.dropFirst(isMultiRegion ? multiRegionPrefix.count : 0) where byte != dash {
            // Key ids are lower-case hexadecimal by construction (KeyIdentifier.isKeyID).
            let digit = byte &- (byte >= UInt8(ascii: "a") ? UInt8(ascii: "a") - 10 : UInt8(ascii: "0"))
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
    }

    private static func takeKeyID(from bytes: inout ArraySlice<UInt8>) -> String? {
        guard let form = bytes.popFirst(), form <= multiRegionForm, let id = take(16, from: &bytes) else { return nil }
        var text: [UInt8] = form == multiRegionForm ? multiRegionPrefix : []
        text.reserveCapacity(36)
        for (index, byte) in id.enumerated() {
            if form == uuidForm, index == 4 || index == 6 || index == 8 || index == 10 { text.append(dash) }
            text.append(hexadecimal: byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func take(_ count: Int, from bytes: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count >= count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }
}

extension CiphertextSuite {
    /// The lengths that the nonce field may have.
    fileprivate var nonceBytes: ClosedRange<Int> {
        switch self {
        case .derivedKeyAES256GCM: 16...16
        case .directAES256GCM: 0...0
        }
    }

    /// The lengths that the IV field may have.
    fileprivate var ivBytes: ClosedRange<Int> {
        switch self {
        case .derivedKeyAES256GCM: 0...0
        case .directAES256GCM: 12...16
        }
    }
}
