public import KMSModel

/// The identifiers that IAM gives users and roles beside their names (IAM User Guide, "Unique identifiers").
public enum UniqueID {
    /// The identifier of a user for whom nobody chose one: `AIDA` and 17 of `A-Z2-7`, always the same for an ARN.
    ///
    /// Only a default name. The hash behind it is not a cryptographic one: whoever fills a directory checks that no
    /// identifier is there twice. On AWS a user who is deleted and made again has another one; give it by hand then.
    public static func user(arn: Text) -> Text { Text("AIDA" + suffix(arn)) }

    /// As `user(arn:)`, beginning with `AROA`.
    public static func role(arn: Text) -> Text { Text("AROA" + suffix(arn)) }

    /// Whether `text` has the form of a user's identifier or of a role's: 16 to 128 characters of `A-Z0-9`.
    public static func isUserOrRole(_ text: Text) -> Bool {
        (text.string.hasPrefix("AIDA") || text.string.hasPrefix("AROA")) && (16...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                    || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            }
    }

    private static let alphabet: [Character] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    /// FNV-1a with 128 bits, whose state is mixed once more because the last bytes of its input reach only few bits.
    private static func suffix(_ arn: Text) -> String {
        let prime: UInt128 = 1 << 88 | 0x13B
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in arn.utf8 { hash = (hash ^ UInt128(byte)) &* prime }
        for _ in 0..<2 { hash = (hash ^ hash >> 61) &* prime }
        hash ^= hash >> 64
        var suffix = ""
        for _ in 0..<17 {
            suffix.append(alphabet[Int(hash & 31)])
            hash >>= 5
        }
        return suffix
    }
}
