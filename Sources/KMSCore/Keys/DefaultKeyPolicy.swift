/// The key policy of a KMS key that was created without one (KMS Developer Guide, "Default key policy").
enum DefaultKeyPolicy {
    static func document(for scope: Scope) -> String {
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
        """
    }
}
