import KMSModel
import KMSPolicy

/// The key policy of a KMS key that was created without one (KMS Developer Guide, "Default key policy").
enum DefaultKeyPolicy {
    /// As GetKeyPolicy writes it.
    static func text(for scope: Scope) -> Text {
        Text(
            """
            {
              "Version" : "2012-10-17",
              "Id" : "key-default-1",
              "Statement" : [ {
                "Sid" : "Enable IAM User Permissions",
                "Effect" : "Allow",
                "Principal" : {
                  "AWS" : "arn:\(scope.partition):iam::\(scope.accountID):root"
                },
                "Action" : "kms:*",
                "Resource" : "*"
              } ]
            }
            """)
    }

    static func policy(for scope: Scope) -> KeyPolicy { KeyPolicy(stored: text(for: scope)) }
}
