internal import KMSCore
internal import KMSModel

// Lines of what no caller asked for (KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail": the examples
// of DeleteKey, RotateKey and DeleteExpiredKeyMaterial). They have no requestID.
enum AuditEvents {
    /// A line of eventType AwsServiceEvent.
    static func encode(_ event: ServiceEvent) -> [UInt8] {
        let key = event.key
        let source: Text = event.isAWSEvent ? "kms.amazonaws.com" : "strongroom"
        return line(event.name, source, event.time, key?.scope) { writer in
            if let id = key?.customKeyStoreID {
                writer.object("additionalEventData") { $0.member("customKeyStoreId", Text(id)) }
            }
            if let key {
                writer.resources([Resource(accountID: key.scope.accountID, type: "AWS::KMS::Key", arn: key.arn)])
            }
            writer.object("serviceEventDetails") { writer in
                writer.member("keyId", key.map { Text($0.id) })
                writer.member("keyStore", event.keyStore)
                switch event.kind {
                case .deletedKey: break
                case .rotatedKey(let type, let previous, let current):
                    writer.member("rotationType", type)
                    writer.member("keyOrigin", key?.origin)
                    writer.member("previousKeyMaterialId", previous)
                    writer.member("currentKeyMaterialId", current)
                case .adoptedKey(let material, let objectID, let label):
                    writer.member("keyOrigin", key?.origin)
                    writer.member("keyMaterialId", material)
                    writer.member("objectId", Text(objectID))
                    writer.member("objectLabel", label)
                case .deletedExpiredKeyMaterial(let material), .foundMaterialMissing(let material),
                    .foundMaterialDuplicated(let material), .foundMaterialExposed(let material):
                    writer.member("keyMaterialId", material)
                case .foundUnknownObjects(let entries):
                    writer.member("count", entries.count)
                    writer.objects("objects", Array(entries.prefix(mostObjects))) { writer, entry in
                        writer.member("objectId", entry.id.map { Text($0) })
                        writer.member("objectLabel", Text(entry.label))
                    }
                case .foundOtherDevice(let before, let now):
                    writer.member("serialNumberBefore", Text(before))
                    writer.member("serialNumber", Text(now))
                case .destroyedLeftovers(let ids):
                    writer.member("count", ids.count)
                    writer.member("objectIds", ids.prefix(mostObjects).map { Text($0) })
                }
            }
        }
    }

    /// A token may hold thousands of somebody else's.
    private static let mostObjects = 20

    /// The line that tells that others could not be written.
    static func encodeLoss(of count: Int, at time: Timestamp) -> [UInt8] {
        line("AuditLinesLost", "strongroom", time, nil) { writer in
            writer.object("serviceEventDetails") { $0.member("lines", count) }
        }
    }

    private static func line(
        _ name: String, _ source: Text, _ time: Timestamp, _ scope: Scope?, _ details: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        writer.beginObject()
        writer.member("eventVersion", AuditLines.eventVersion)
        writer.object("userIdentity") { writer in
            writer.member("accountId", scope.map { Text($0.accountID) })
            writer.member("invokedBy", "AWS Internal" as Text)
        }
        writer.member("eventTime", time.iso8601)
        writer.member("eventSource", source)
        writer.member("eventName", Text(name))
        writer.member("awsRegion", scope.map { Text($0.region) })
        writer.member("sourceIPAddress", "AWS Internal" as Text)
        writer.member("userAgent", "AWS Internal" as Text)
        writer.member("requestParameters", json: nil)
        writer.member("responseElements", json: nil)
        writer.member("eventID", Text(RequestID.make()))
        writer.member("readOnly", false)
        details(&writer)
        writer.member("eventType", "AwsServiceEvent" as Text)
        writer.member("managementEvent", true)
        writer.member("eventCategory", "Management" as Text)
        writer.member("recipientAccountId", scope.map { Text($0.accountID) })
        writer.endObject()
        return writer.finish()
    }
}
