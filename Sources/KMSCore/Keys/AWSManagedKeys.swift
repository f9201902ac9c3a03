import KMSModel
import KMSPolicy
import Logging

// AWS managed keys: a key for each AWS service, account and Region, with the alias `alias/aws/<service>`. Its policy
// lets the service use it on behalf of callers of the account, and lets the account look at it: so it cannot be
// disabled, tagged, deleted or used directly, without a rule of its own (KMS Developer Guide, "AWS managed keys").
extension KeyManagementService {
    /// Makes the AWS managed key that a DescribeKey names, if it is the first one to do so (KMS API, DescribeKey:
    /// "If you specify a predefined AWS alias, KMS associates the alias with an AWS managed key").
    ///
    /// Does nothing where the caller would not be allowed to see it, which DescribeKey then says.
    func makeAWSManagedKey(namedBy identifier: Text, _ context: RequestContext) async throws(KMSError) {
        guard let name = try aliasName(identifier, context), let service = AWSService(alias: name),
            metadata.read({ $0.alias(name, in: context.scope) }) == nil
        else { return }
        let now = clock.now
        var key = KMSKey(
            id: Self.newKeyID(isMultiRegion: false), scope: context.scope, creationDate: now,
            keySpec: .symmetricDefault, keyUsage: .encryptDecrypt, origin: .awsKms, manager: .aws,
            customKeyStoreID: nil, description: service.keyDescription, status: .enabled, tags: [],
            policy: service.keyPolicy(in: context.scope),
            automaticRotation: AutomaticRotation(
                periodInDays: Self.defaultRotationPeriodInDays,
                nextDate: now + Double(Self.defaultRotationPeriodInDays) * Self.secondsPerDay),
            placement: configuration.defaultPlacement, materials: [])
        var target = KeyTarget(owner: key.scope, arn: key.arn, key: key)
        target.aliases = [name]
        target.requestAlias = name
        target.policy = metadata.read { $0.policy(of: key) }
        guard decide(.of(.describeKey), target, .none, context).isAllowed else { return }

        let keyStore = try registry.keyStore(of: key)
        try refuseUnsupported(key, in: keyStore)
        do throws(KMSError) {
            try await withIntent(at: key.placement, in: keyStore, keyARN: key.arn) { [key] id throws(KMSError) in
                try await self.generateMaterial(id, for: key, in: keyStore)
            } commit: { id, material throws(KMSError) in
                key.materials = [material]
                try await self.metadata.write { [key] directory, changes throws(KMSError) in
                    guard directory.alias(name, in: key.scope) == nil else {
                        throw .aliasExists(key.scope.aliasARN(name))
                    }
                    changes += [
                        .putKey(key),
                        .putAlias(
                            Alias(
                                scope: key.scope, name: name, targetKeyID: key.id, creationDate: now,
                                lastUpdatedDate: now)),
                        .deleteIntent(id),
                    ]
                }
            }
        } catch {
            // Somebody else asked at the same moment.
            guard error.code == .alreadyExists else { throw error }
        }
    }

    /// The name of an alias of the caller's own account; nil for everything else.
    private func aliasName(_ identifier: Text, _ context: RequestContext) throws(KMSError) -> String? {
        switch try KeyIdentifier(identifier, in: context.scope) {
        case .aliasName(let name), .aliasARN(context.scope, let name): name
        case .keyID, .keyARN, .aliasARN: nil
        }
    }
}

/// An AWS service that has AWS managed keys.
struct AWSService: Hashable, Sendable {
    static let aliasPrefix = "alias/aws/"

    /// Services with AWS managed keys (KMS Developer Guide, "AWS managed keys"; each service's own guide). Not all
    /// there are: AWS has no list.
    private static let names: Set<String> = [
        "acm", "backup", "codeartifact", "connect", "dms", "dynamodb", "ebs", "ecr", "elasticfilesystem", "es", "fsx",
        "glue", "kafka", "kinesis", "kinesisvideo", "lambda", "mq", "rds", "redshift", "s3", "secretsmanager", "ses",
        "sns", "sqs", "ssm", "timestream", "workspaces", "xray",
    ]

    /// As in `alias/aws/<name>`.
    let name: String

    init?(alias: String) {
        guard alias.hasPrefix(Self.aliasPrefix) else { return nil }
        name = String(alias.dropFirst(Self.aliasPrefix.count))
        guard Self.names.contains(name) else { return nil }
    }

    /// AWS words it for each service in another way.
    var keyDescription: Text { Text("Default key that protects my data in \(name) when no other key is defined") }

    /// The service in `kms:ViaService`.
    private var endpointName: String { name == "ebs" ? "ec2" : name }

    /// As the KMS Developer Guide shows it ("AWS managed keys", "Viewing a key policy").
    func keyPolicy(in scope: Scope) -> KeyPolicy {
        KeyPolicy(
            stored: Text(
                """
                {
                  "Version" : "2012-10-17",
                  "Id" : "auto-\(name)-1",
                  "Statement" : [ {
                    "Sid" : "Allow access through \(name) for all principals in the account that are authorized to use \(name)",
                    "Effect" : "Allow",
                    "Principal" : {
                      "AWS" : "*"
                    },
                    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", \
                "kms:CreateGrant", "kms:DescribeKey" ],
                    "Resource" : "*",
                    "Condition" : {
                      "StringEquals" : {
                        "kms:CallerAccount" : "\(scope.accountID)",
                        "kms:ViaService" : "\(endpointName).\(scope.region).\(scope.domain)"
                      }
                    }
                  }, {
                    "Sid" : "Allow direct access to key metadata to the account",
                    "Effect" : "Allow",
                    "Principal" : {
                      "AWS" : "arn:\(scope.partition):iam::\(scope.accountID):root"
                    },
                    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
                    "Resource" : "*"
                  } ]
                }
                """))
    }
}

extension Scope {
    /// What the host names of AWS services end with in the partition.
    fileprivate var domain: String { partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com" }
}
