import KMSModel

/// Policies as AWS documents them, which its users therefore write (KMS Developer Guide, "Key policies", "IAM
/// policies"; IAM User Guide, "Roles terms and concepts"), with our own names.
enum Examples {
    static let defaultKeyPolicy: Text = """
        {
          "Version" : "2012-10-17",
          "Id" : "key-default-1",
          "Statement" : [ {
            "Sid" : "Enable IAM User Permissions",
            "Effect" : "Allow",
            "Principal" : {
              "AWS" : "arn:aws:iam::111122223333:root"
            },
            "Action" : "kms:*",
            "Resource" : "*"
          } ]
        }
        """

    static let keyPolicies: [Text] = [
        defaultKeyPolicy,
        """
        {"Id":"key-consolepolicy","Version":"2012-10-17","Statement":[
         {"Sid":"Allow use of the key","Effect":"Allow","Principal":{"AWS":[
           "arn:aws:iam::111122223333:user/Alice","arn:aws:iam::111122223333:role/team/Service",
           "arn:aws:sts::444455556666:assumed-role/Admin/session@example.com","444455556666"]},
          "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],
          "Resource":"*"},
         {"Sid":"Allow attachment of persistent resources","Effect":"Allow",
          "Principal":{"AWS":"arn:aws:iam::111122223333:role/team/Service"},
          "Action":["kms:CreateGrant","kms:ListGrants","kms:RevokeGrant"],"Resource":"*",
          "Condition":{"Bool":{"kms:GrantIsForAWSResource":true}}}]}
        """,
        """
        {"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*",
          "Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},
            "StringEquals":{"kms:EncryptionContext:Stage":["test","production"]}}}}
        """,
        """
        {"Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com","AWS":"*"},
          "Action":"kms:GenerateDataKey*","Resource":"arn:aws:kms:*:111122223333:key/*"}]}
        """,
    ]

    static let identityPolicies: [Text] = [
        #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        """
        {"Version":"2012-10-17","Statement":[
          {"Sid":"Create1","Effect":"Allow","Action":["kms:Create*","kms:List*"],"Resource":"*"},
          {"Effect":"Deny","NotAction":"kms:Describe*","NotResource":["arn:aws:kms:*:*:key/*"],
           "Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}}]}
        """,
    ]

    static let trustPolicies: [Text] = [
        """
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
          "Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"}}}]}
        """,
        """
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333",
          "Federated":"arn:aws:iam::111122223333:saml-provider/idp","Service":["ec2.amazonaws.com"]},
          "Action":["sts:AssumeRole","sts:TagSession","sts:Set*"]}]}
        """,
    ]
}
