import Cryptography
public import KMSModel
import KMSPolicy
import KeyStores

// Custom key stores of type AWS_CLOUDHSM: create, describe, update, delete. Connecting is in CustomKeyStoreConnection.
extension KeyManagementService {
    /// KMS API: CreateCustomKeyStore. The password is not tried before ConnectCustomKeyStore.
    public func createCustomKeyStore(
        _ request: CreateCustomKeyStoreRequest, _ context: RequestContext
    ) async throws(KMSError) -> CreateCustomKeyStoreResponse {
        try authorize(.createCustomKeyStore, context)
        guard request.customKeyStoreType ?? .awsCloudhsm == .awsCloudhsm else {
            throw .unsupportedOperation("CustomKeyStoreType EXTERNAL_KEY_STORE is not supported.")
        }
        guard request.xksProxyUriEndpoint == nil, request.xksProxyUriPath == nil,
            request.xksProxyVpcEndpointServiceName == nil, request.xksProxyVpcEndpointServiceOwner == nil,
            request.xksProxyAuthenticationCredential == nil, request.xksProxyConnectivity == nil
        else { throw .xksProxyMembers }
        guard let clusterID = request.cloudHsmClusterId else { throw .customKeyStoreMember("CloudHsmClusterId") }
        guard let certificate = request.trustAnchorCertificate else {
            throw .customKeyStoreMember("TrustAnchorCertificate")
        }
        guard let password = request.keyStorePassword else { throw .customKeyStoreMember("KeyStorePassword") }
        let device = try self.device(clusterID, context)
        try Self.checkTrustAnchor(certificate, of: device)

        let id = "cks-" + Self.randomHexadecimal(17)
        let keyStore = CustomKeyStore(
            id: id, scope: context.scope, name: request.customKeyStoreName, clusterID: device.clusterID,
            trustAnchorCertificate: certificate, sealedPassword: try sealPassword(password, of: id),
            creationDate: clock.now, connection: .disconnected)
        try await metadata.write { directory, changes throws(KMSError) in
            let others = directory.customKeyStores(in: keyStore.scope)
            let limit = self.configuration.quotas.customKeyStores
            guard others.count < limit else {
                throw .limitExceeded("An account can have at most \(limit) custom key stores in a Region.")
            }
            try Self.checkName(keyStore.name, among: others)
            guard !others.contains(where: { $0.clusterID == keyStore.clusterID }) else {
                throw KMSError(
                    .cloudHsmClusterInUse,
                    "The cluster \(keyStore.clusterID) is already associated with a custom key store.")
            }
            changes.append(.putCustomKeyStore(keyStore))
        }
        context.trail.note(keyStore)
        return CreateCustomKeyStoreResponse(customKeyStoreId: Text(id))
    }

    /// KMS API: DescribeCustomKeyStores.
    public func describeCustomKeyStores(
        _ request: DescribeCustomKeyStoresRequest, _ context: RequestContext
    ) async throws(KMSError) -> DescribeCustomKeyStoresResponse {
        try authorize(.describeCustomKeyStores, context)
        guard request.customKeyStoreId == nil || request.customKeyStoreName == nil else {
            throw .validation("You can specify CustomKeyStoreId or CustomKeyStoreName, but not both.")
        }
        let markers = marker(of: .describeCustomKeyStores, context)
        let marker = try markers.decode(request.marker)
        var stores = metadata.read { $0.customKeyStores(in: context.scope) }[...]
        if let id = request.customKeyStoreId {
            stores = [try customKeyStore(id, context)]
        } else if let name = request.customKeyStoreName {
            guard let store = stores.first(where: { $0.name == name }) else {
                throw .customKeyStoreNotFound(name.string)
            }
            stores = [store]
        }
        if let marker {
            guard let index = stores.firstIndex(where: { $0.id == marker }) else { throw .unknownMarker }
            stores = stores[(index + 1)...]
        }
        let page = Page(stores, limit: request.limit, default: 100, maximum: 1000)
        return DescribeCustomKeyStoresResponse(
            customKeyStores: page.items.map(listEntry),
            nextMarker: try markers.encode(page.items.last?.id, isLast: page.isLast),
            truncated: !page.isLast)
    }

    /// KMS API: UpdateCustomKeyStore. The name may change while connected, the rest only while disconnected. Beyond
    /// AWS, the password may too: the next login takes it, so that the PIN of a token can be changed while its keys are
    /// used.
    public func updateCustomKeyStore(
        _ request: UpdateCustomKeyStoreRequest, _ context: RequestContext
    ) async throws(KMSError) -> UpdateCustomKeyStoreResponse {
        try authorize(.updateCustomKeyStore, context)
        let resolved = try customKeyStore(request.customKeyStoreId, context)
        try Self.refuseXksMembers(of: request)
        let device = try request.cloudHsmClusterId.map { id throws(KMSError) in try self.device(id, context) }
        let sealedPassword = try request.keyStorePassword.map { password throws(KMSError) in
            try self.sealPassword(password, of: resolved.id)
        }
        try await metadata.write { directory, changes throws(KMSError) in
            guard var keyStore = directory.customKeyStores[resolved.id] else {
                throw .customKeyStoreNotFound(resolved.id)
            }
            let needsNoDisconnect =
                device == nil && (sealedPassword == nil || self.configuration.compatibility == .extended)
            switch self.registry.connection(keyStore.id) {
            case .disconnected: break
            case .connected where needsNoDisconnect: break
            case .connected, .connecting, .disconnecting, .failed:
                throw .customKeyStoreState(keyStore.id, "disconnect it first")
            }
            let others = directory.customKeyStores(in: keyStore.scope).filter { $0.id != keyStore.id }
            if let name = request.newCustomKeyStoreName {
                try Self.checkName(name, among: others)
                keyStore.name = name
            }
            if let sealedPassword { keyStore.sealedPassword = sealedPassword }
            // Clusters are related when they share their certificate and so their keys. No two devices of an
            // installation are known to, so only the same cluster id is related to itself.
            if let device, device.clusterID != keyStore.clusterID {
                throw KMSError(
                    .cloudHsmClusterNotRelated,
                    "The cluster \(device.clusterID) is not related to the cluster \(keyStore.clusterID).")
            }
            changes.append(.putCustomKeyStore(keyStore))
        }
        if let password = request.keyStorePassword, case .connected = registry.connection(resolved.id) {
            await devices.renewPassword(resolved.clusterID, password)
        }
        return UpdateCustomKeyStoreResponse()
    }

    /// KMS API: DeleteCustomKeyStore. Touches nothing on the device.
    public func deleteCustomKeyStore(
        _ request: DeleteCustomKeyStoreRequest, _ context: RequestContext
    ) async throws(KMSError) -> DeleteCustomKeyStoreResponse {
        try authorize(.deleteCustomKeyStore, context)
        let keyStore = try customKeyStore(request.customKeyStoreId, context)
        try await metadata.write { directory, changes throws(KMSError) in
            guard directory.customKeyStores[keyStore.id] != nil else { throw .customKeyStoreNotFound(keyStore.id) }
            guard case .disconnected = self.registry.connection(keyStore.id) else {
                throw .customKeyStoreState(keyStore.id, "disconnect it first")
            }
            guard directory.keys(where: { $0.customKeyStoreID == keyStore.id }).isEmpty else {
                throw KMSError(
                    .customKeyStoreHasCMKs,
                    "The custom key store \(keyStore.id) contains KMS keys. Keys that are pending deletion count.")
            }
            changes.append(.deleteCustomKeyStore(id: keyStore.id))
        }
        registry.setConnection(nil, of: keyStore.id)
        return DeleteCustomKeyStoreResponse()
    }

    // MARK: Parts

    /// Errors: CustomKeyStoreNotFoundException, also for a key store of another account or Region.
    func customKeyStore(_ id: Text, _ context: RequestContext) throws(KMSError) -> CustomKeyStore {
        let found = metadata.read { $0.customKeyStores[id.string] }
        guard let found, found.scope == context.scope else { throw .customKeyStoreNotFound(id.string) }
        context.trail.note(found)
        return found
    }

    private func listEntry(_ keyStore: CustomKeyStore) -> CustomKeyStoresListEntry {
        let connection = registry.connection(keyStore.id)
        var failure: ConnectionErrorCodeType?
        if case .failed(let code) = connection { failure = code }
        return CustomKeyStoresListEntry(
            cloudHsmClusterId: Text(keyStore.clusterID),
            connectionErrorCode: failure,
            connectionState: connection.state,
            creationDate: keyStore.creationDate,
            customKeyStoreId: Text(keyStore.id),
            customKeyStoreName: keyStore.name,
            customKeyStoreType: .awsCloudhsm,
            trustAnchorCertificate: keyStore.trustAnchorCertificate)
    }

    /// A device that this account may attach. One that it may not is not there for it.
    private func device(_ clusterID: Text, _ context: RequestContext) throws(KMSError) -> KeyStoreDevice {
        guard let device = devices.device(clusterID.string),
            device.accounts?.contains(context.caller.accountID) ?? true
        else {
            throw KMSError(
                .cloudHsmClusterNotFound,
                "The cluster \(clusterID.string) was not found: no device of this installation that the account "
                    + "\(context.caller.accountID) may attach has this clusterId.")
        }
        return device
    }

    private static func checkTrustAnchor(_ certificate: Text, of device: KeyStoreDevice) throws(KMSError) {
        func trimmed(_ pem: String) -> [Substring.UTF8View] {
            pem.split(whereSeparator: \.isWhitespace).map(\.utf8)
        }
        let matches: Bool
        if let expected = device.trustAnchorPEM {
            matches = trimmed(expected).map(Array.init) == trimmed(certificate.string).map(Array.init)
        } else {
            matches = Certificate.isWellFormed(pem: Array(certificate.string.utf8))
        }
        guard matches else {
            throw KMSError(
                .incorrectTrustAnchor,
                "TrustAnchorCertificate is not the trust anchor certificate of the cluster \(device.clusterID).")
        }
    }

    private static func checkName(_ name: Text, among others: [CustomKeyStore]) throws(KMSError) {
        guard !others.contains(where: { $0.name == name }) else {
            throw KMSError(
                .customKeyStoreNameInUse, "The custom key store name \(name.string) is already in use.")
        }
    }

    private static func refuseXksMembers(of request: UpdateCustomKeyStoreRequest) throws(KMSError) {
        guard request.xksProxyUriEndpoint == nil, request.xksProxyUriPath == nil,
            request.xksProxyVpcEndpointServiceName == nil, request.xksProxyAuthenticationCredential == nil,
            request.xksProxyConnectivity == nil
        else {
            throw .xksProxyMembers
        }
    }

    static func randomHexadecimal(_ count: Int) -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<count).map { _ in digits[Int.random(in: 0..<16)] })
    }
}

extension KMSError {
    static func customKeyStoreNotFound(_ name: String) -> Self {
        .init(.customKeyStoreNotFound, "The custom key store \(name) was not found.")
    }
    fileprivate static let xksProxyMembers = KMSError.validation(
        "XksProxy parameters are valid only for custom key stores of type EXTERNAL_KEY_STORE.")
    fileprivate static func customKeyStoreMember(_ member: String) -> Self {
        .validation("\(member) is required for custom key stores of type AWS_CLOUDHSM.")
    }
}
