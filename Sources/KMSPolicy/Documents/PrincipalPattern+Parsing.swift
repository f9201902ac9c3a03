public import KMSModel

extension PrincipalPattern {
    /// The forms that may stand under `"AWS"`: `*`, an account id, the ARN of an account's root, user, role, role
    /// session or federated user, and the unique id of a user or role.
    ///
    /// Whether there is such a principal is not asked here.
    public init(arnOrID text: Text) throws(PolicyError) {
        if text == "*" {
            self = .everyone
        } else if ARNText.isAccountID(text.string) {
            self = .account(id: text.string)
        } else if UniqueID.isUserOrRole(text) {
            self = .uniqueID(text)
        } else {
            self = try Self.parse(arn: text)
        }
    }

    /// As a policy writes it; of an account, its id.
    public var text: Text {
        switch self {
        case .everyone: "*"
        case .account(let id): Text(id)
        case .user(let text), .role(let text), .roleSession(let text), .federatedUser(let text), .uniqueID(let text),
            .service(let text), .federated(let text):
            text
        }
    }

    /// The form under `"Service"`: a host name under the domains of AWS.
    init(service text: Text) throws(PolicyError) {
        let labels = text.string.split(separator: ".", omittingEmptySubsequences: false)
        let domains = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"]
        guard domains.contains(where: { text.string.hasSuffix($0) }), text.utf8.count <= 253,
            labels.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isHostByte) })
        else {
            throw .principal(text, "is no service principal, which would be such as \"s3.amazonaws.com\"")
        }
        self = .service(text)
    }

    /// The form under `"Federated"`: the ARN of a provider in an account, or one of the web identity providers that IAM
    /// knows by name (IAM User Guide, "Available keys for AWS web identity federation").
    init(federated text: Text) throws(PolicyError) {
        let knownProviders: Set<Text> = [
            "accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com",
        ]
        if !knownProviders.contains(text) {
            let parts = try Self.arnParts(text)
            let provider = ["saml-provider/", "oidc-provider/"].first { parts.resource.hasPrefix($0) }
            guard parts.service == "iam", let provider, Self.isPath(parts.resource.dropFirst(provider.count)) else {
                throw .principal(text, "is no identity provider, which would be the ARN of a SAML or OIDC provider")
            }
        }
        self = .federated(text)
    }

    // MARK: ARNs

    private static func parse(arn text: Text) throws(PolicyError) -> PrincipalPattern {
        let parts = try arnParts(text)
        let pieces = parts.resource.split(separator: "/", omittingEmptySubsequences: false)
        switch (parts.service, pieces[0], pieces.count) {
        case ("iam", "root", 1):
            return .account(id: parts.account)
        case ("iam", "user", 2...):
            guard isPath(parts.resource.dropFirst(5)), ARNText.isName(pieces[pieces.count - 1], length: 1...64) else {
                break
            }
            return .user(arn: text)
        case ("iam", "role", 2...):
            guard isPath(parts.resource.dropFirst(5)), ARNText.isName(pieces[pieces.count - 1], length: 1...64) else {
                break
            }
            return .role(arn: text)
        case ("iam", "group", _):
            throw .principal(text, "is a group, which cannot be a principal")
        case ("sts", "assumed-role", 3):
            guard ARNText.isName(pieces[1], length: 1...64), ARNText.isName(pieces[2], length: 2...64) else { break }
            return .roleSession(arn: text)
        case ("sts", "federated-user", 2):
            guard ARNText.isName(pieces[1], length: 2...32) else { break }
            return .federatedUser(arn: text)
        default:
            break
        }
        throw .principal(
            text, "is no ARN of an account's root, a user, a role, a role session or a federated user")
    }

    private static func arnParts(
        _ text: Text
    ) throws(PolicyError) -> (service: String, account: String, resource: Substring) {
        let parts = text.string.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }) else {
            throw .principal(
                text, "has a wildcard, which no principal may have; aws:PrincipalArn in a condition may have one")
        }
        guard parts.count == 6, parts[0] == "arn" else {
            throw .principal(text, "is neither \"*\", an account id, a unique id nor an ARN")
        }
        guard ARNText.partitions.contains(Text(String(parts[1]))) else {
            throw .principal(text, "has an unknown partition; known are aws, aws-cn and aws-us-gov")
        }
        guard parts[3].isEmpty, ARNText.isAccountID(parts[4]) else {
            throw .principal(text, "has no account id of 12 digits, or has a Region")
        }
        return (String(parts[2]), String(parts[4]), parts[5])
    }

    /// A path and a name: IAM API Reference, `path`: the printable ASCII characters, here without the wildcards.
    private static func isPath(_ text: some StringProtocol) -> Bool {
        (1...576).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension PolicyError {
    static func principal(_ text: Text, _ problem: String) -> PolicyError {
        PolicyError(.invalidPrincipal, "the principal \(quoted(text)) \(problem)")
    }

    /// The same error, said of a place in the document.
    func at(_ place: String) -> PolicyError { PolicyError(code, "\(place): \(description)") }
}
