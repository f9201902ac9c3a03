public import KMSModel
import KMSPolicy

// Tags (KMS API: TagResource, UntagResource, ListResourceTags).
extension KeyManagementService {
    static let tagsPerKey = 50

    /// KMS API: TagResource. Adds tags, and replaces the values of those that the key has.
    public func tagResource(_ request: TagResourceRequest, _ context: RequestContext) async throws(KMSError) {
        try Self.checkTags(request.tags)
        try await change(request.keyId, for: .tagResource, .change, facts: RequestFacts(tags: request.tags), context) {
            key throws(KMSError) in
            for tag in request.tags {
                if let index = key.tags.firstIndex(where: { $0.tagKey == tag.tagKey }) {
                    key.tags[index] = tag
                } else {
                    key.tags.append(tag)
                }
            }
            guard key.tags.count <= Self.tagsPerKey else { throw .tooManyTags }
        }
    }

    /// KMS API: UntagResource. Unknown tag keys are no error.
    public func untagResource(_ request: UntagResourceRequest, _ context: RequestContext) async throws(KMSError) {
        guard request.tagKeys.count <= Self.tagsPerKey else { throw .tooManyTags }
        let tagKeys = Set(request.tagKeys)
        try await change(
            request.keyId, for: .untagResource, .change, facts: RequestFacts(tagKeys: request.tagKeys), context
        ) { key in
            key.tags.removeAll { tagKeys.contains($0.tagKey) }
        }
    }

    /// KMS API: ListResourceTags.
    public func listResourceTags(
        _ request: ListResourceTagsRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListResourceTagsResponse {
        let markers = marker(of: .listResourceTags, context)
        let marker = try markers.decode(request.marker)
        let key = try resolve(request.keyId, forms: .keys, for: .listResourceTags, context)
        var tags = key.tags[...]
        if let marker {
            guard let index = tags.firstIndex(where: { $0.tagKey == Text(marker) }) else { throw .unknownMarker }
            tags = tags[(index + 1)...]
        }
        let page = Page(tags, limit: request.limit, default: 50, maximum: 50)
        return ListResourceTagsResponse(
            nextMarker: try markers.encode(page.items.last?.tagKey.string, isLast: page.isLast),
            tags: page.items,
            truncated: !page.isLast)
    }

    /// Errors: TagException with AWS's texts.
    static func checkTags(_ tags: [Tag]) throws(KMSError) {
        guard tags.count <= tagsPerKey else { throw .tooManyTags }
        guard Set(tags.map(\.tagKey)).count == tags.count else { throw .duplicateTagKeys }
        for tag in tags where tag.tagKey.hasPrefixWithoutCase("aws:") { throw .reservedTagPrefix }
    }
}
