import Foundation
import KMSCore
import KMSModel
import KMSPolicy
import SecureMemory

/// The custom key store that `strongroom dev` starts with, CONNECTED on its SoftHSM token.
struct DevelopmentKeyStore: Sendable {
    static let name: Text = "softhsm"
    static let region = "us-east-1"

    let token: SoftHSMToken
    /// Who owns the custom key store, and may create it.
    let caller: Principal

    /// Creates the custom key store unless it is there, and waits until it is connected. Returns its id.
    func provision(_ service: KeyManagementService) async throws -> String {
        let context = RequestContext(caller: caller, region: Self.region)
        let id: Text
        if let found = try await existing(service, context) {
            id = found
        } else {
            id = try await create(service, context)
        }
        var mayReconnect = true
        for _ in 0..<600 {
            let stores = try await service.describeCustomKeyStores(.init(customKeyStoreId: id), context).customKeyStores
            switch stores?.first?.connectionState {
            case .connected: return id.string
            case .failed where mayReconnect:
                // It was left so by a test, with a wrong password perhaps; a development server starts all the same.
                mayReconnect = false
                _ = try await service.disconnectCustomKeyStore(.init(customKeyStoreId: id), context)
                _ = try await service.updateCustomKeyStore(
                    .init(customKeyStoreId: id, keyStorePassword: try token.readPIN()), context)
            case .failed:
                throw ConfigurationError(
                    "the token in the data directory could not be logged in to: "
                        + (stores?.first?.connectionErrorCode?.rawValue ?? "unknown reason"))
            case .disconnected:
                _ = try await service.connectCustomKeyStore(.init(customKeyStoreId: id), context)
            default: break
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ConfigurationError("the token in the data directory did not answer within 30 seconds")
    }

    private func existing(_ service: KeyManagementService, _ context: RequestContext) async throws -> Text? {
        try await service.describeCustomKeyStores(.init(), context).customKeyStores?
            .first { $0.cloudHsmClusterId?.string == SoftHSMToken.clusterID }?.customKeyStoreId
    }

    private func create(_ service: KeyManagementService, _ context: RequestContext) async throws -> Text {
        let response = try await service.createCustomKeyStore(
            .init(
                customKeyStoreName: Self.name, cloudHsmClusterId: Text(SoftHSMToken.clusterID),
                keyStorePassword: try token.readPIN(), trustAnchorCertificate: Text(SoftHSMToken.trustAnchorPEM)),
            context)
        guard let id = response.customKeyStoreId else { throw ConfigurationError("no custom key store was created") }
        return id
    }
}

/// What `strongroom dev` prints when it is ready: lines to copy. Files instead of base64 arguments, because version 1
/// of the AWS CLI and version 2 take those differently.
struct Announcement: Sendable {
    let accessKeyID: String
    /// Nil when somebody chose it: it is printed nowhere then.
    let secretAccessKey: String?

    func print(_ endpoint: String, _ provisioned: Server.Provisioned) {
        let aws = "aws --endpoint-url \(endpoint) --region \(DevelopmentKeyStore.region) kms"
        let origin = provisioned.customKeyStoreID.map { "--origin AWS_CLOUDHSM --custom-key-store-id \($0) " } ?? ""
        Swift.print(
            """
            Strongroom listens on \(endpoint). Ctrl-C stops it.

            export AWS_ACCESS_KEY_ID=\(accessKeyID) AWS_SECRET_ACCESS_KEY=\(secretAccessKey ?? "'the one you chose'")

            KEY=$(\(aws) create-key \(origin)--query KeyMetadata.KeyId --output text); echo $KEY
            BLOB=$(\(aws) encrypt --key-id $KEY --plaintext fileb://<(printf hello) --query CiphertextBlob --output text); echo $BLOB
            \(aws) decrypt --ciphertext-blob fileb://<(echo $BLOB | base64 -d) --query Plaintext --output text | base64 -d; echo

            """)
        // The lines are for a person or a script that waits for them in a pipe.
        fflush(nil)
    }
}
