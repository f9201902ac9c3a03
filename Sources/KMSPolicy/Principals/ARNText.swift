package import KMSModel

/// The parts of IAM and STS ARNs, `arn:partition:service:region:account:resource`.
package enum ARNText {
    static let partitions: Set<Text> = ["aws", "aws-cn", "aws-us-gov"]

    /// The partition of an ARN; `aws` when there is none.
    static func partition(of arn: Text) -> Text {
        let parts = arn.string.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let partition = String(parts[1]), !partition.isEmpty else { return "aws" }
        return Text(partition)
    }

    /// The account of an ARN; empty when there is none.
    package static func accountID(of arn: Text) -> String {
        let parts = arn.string.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        return parts.count == 6 ? String(parts[4]) ?? "" : ""
    }

    /// 12 digits.
    static func isAccountID(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// The name of a user, role or session: IAM API Reference, `[\w+=,.@-]+`.
    static func isName(_ text: some StringProtocol, length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "="),
                    UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "@"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
