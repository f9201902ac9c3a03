public import KMSModel

extension ConditionKey {
    /// Reads the name that a policy writes, in any case.
    ///
    /// - Throws: for names with the prefixes `kms:` and `aws:` that are not documented, and what is not a name at all.
    ///   Keys of other services are taken: AWS takes them, and they are in no request.
    public init(name: Text) throws(PolicyError) {
        let folded = name.lowerCase
        if let known = knownKeys[folded] {
            self = .known(known)
            return
        }
        if let rest = Self.rest(of: name, after: "kms:encryptioncontext:") {
            self = .encryptionContext(rest)
        } else if let rest = Self.rest(of: name, after: "aws:principaltag/") {
            self = .principalTag(rest)
        } else if let rest = Self.rest(of: name, after: "aws:requesttag/") {
            self = .requestTag(rest)
        } else if let rest = Self.rest(of: name, after: "aws:resourcetag/") {
            self = .resourceTag(rest)
        } else if absentKeys.contains(folded) || Self.isAttestation(folded) || Self.isOfAnotherService(folded) {
            self = .absent(name)
        } else {
            throw PolicyError("there is no condition key \(quoted(name))")
        }
    }

    /// Whether requests may have several values of it, so that conditions need ForAllValues or ForAnyValue (KMS
    /// Developer Guide, "AWS KMS condition keys", and IAM User Guide, "AWS global condition context keys": value type).
    /// The former calls kms:PrimaryRegion, kms:ReplicaRegion and kms:RetiringPrincipal "String (list)", and the last
    /// one single-valued all the same: requests have one of each, and the lists are those of the policies.
    public var isMultivalued: Bool {
        switch self {
        case .known(.encryptionContextKeys), .known(.grantOperations), .known(.resourceAliases), .known(.tagKeys),
            .known(.calledVia), .known(.stsTransitiveTagKeys):
            true
        default:
            false
        }
    }

    /// The name as AWS writes it, with the variable part as the policy has it.
    package var name: String {
        switch self {
        case .known(let key): key.rawValue
        case .encryptionContext(let name): "kms:EncryptionContext:\(name)"
        case .principalTag(let key): "aws:PrincipalTag/\(key)"
        case .requestTag(let key): "aws:RequestTag/\(key)"
        case .resourceTag(let key): "aws:ResourceTag/\(key)"
        case .absent(let name): name.string
        }
    }

    /// What follows a prefix; nil when the name does not begin so, in any case, or nothing follows.
    private static func rest(of name: Text, after prefix: Text) -> Text? {
        guard name.hasPrefixWithoutCase(prefix), name.utf8.count > prefix.utf8.count else { return nil }
        return Text(String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    }

    /// `kms:RecipientAttestation:ImageSha384`, `…:PCR<n>`, `…:NitroTPMPCR<n>` (KMS Developer Guide, "Condition keys for
    /// AWS Nitro Enclaves" and "… NitroTPM"): requests of attested instances, which need AWS's own attestation.
    private static func isAttestation(_ folded: Text) -> Bool {
        guard let rest = rest(of: folded, after: "kms:recipientattestation:") else { return false }
        if rest == "imagesha384" { return true }
        let register = Self.rest(of: rest, after: "nitrotpmpcr") ?? Self.rest(of: rest, after: "pcr")
        guard let register else { return false }
        return register.utf8.count <= 2 && register.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// `s3:prefix`, `accounts.google.com:aud`, `oidc.eks.us-east-1.amazonaws.com/id/ABC:sub`.
    private static func isOfAnotherService(_ folded: Text) -> Bool {
        guard let colon = folded.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let service = folded.utf8[..<colon]
        guard !service.isEmpty, folded.utf8.index(after: colon) < folded.utf8.endIndex else { return false }
        guard !service.elementsEqual("kms".utf8), !service.elementsEqual("aws".utf8) else { return false }
        return service.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "/")
        }
    }
}

private let knownKeys: [Text: KnownConditionKey] = Dictionary(
    uniqueKeysWithValues: KnownConditionKey.allCases.map { (Text($0.rawValue).lowerCase, $0) })

/// Global keys that AWS documents and no request to this server can have (IAM User Guide, "AWS global condition context
/// keys"; "AWS MCP Server", condition keys): requests through VPC endpoints, from EC2 instances with instance
/// credentials, of federated or multi-factor sessions, by AWS services on behalf of resources, and through sign-in or
/// chat sessions; and what only AWS Organizations knows.
private let absentKeys: Set<Text> = Set(
    [
        "aws:AssumedRoot", "aws:CalledViaAWSMCP", "aws:ChatbotSourceArn", "aws:Ec2InstanceSourcePrivateIPv4",
        "aws:Ec2InstanceSourceVpc", "aws:FederatedProvider", "aws:IsMcpServiceAction", "aws:MultiFactorAuthAge",
        "aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths",
        "aws:SignInSessionArn", "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths",
        "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:ViaAWSMCPService",
        "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths",
    ].map { Text($0).lowerCase })
