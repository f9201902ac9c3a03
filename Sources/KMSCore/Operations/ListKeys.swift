public import KMSModel

extension KeyManagementService {
    /// KMS API: ListKeys. Keys in every state, in the order of their ids.
    public func listKeys(
        _ request: ListKeysRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListKeysResponse {
        try authorize(.listKeys, context)
        let markers = marker(of: .listKeys, context)
        let marker = try markers.decode(request.marker)
        let scope = context.scope
        let page = metadata.read { directory in
            Page(directory.contents(of: scope).keyIDs.after(marker), limit: request.limit, default: 100, maximum: 1000)
        }
        return ListKeysResponse(
            keys: page.items.map { KeyListEntry(keyArn: Text(scope.keyARN($0)), keyId: Text($0)) },
            nextMarker: try markers.encode(page.items.last, isLast: page.isLast),
            truncated: !page.isLast)
    }
}
