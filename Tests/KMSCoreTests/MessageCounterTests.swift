import Foundation
import KMSCore
import KMSModel
import KMSStorage
import Logging
import Testing

struct MessageCounterTests {
    private let directory = FileManager.default.temporaryDirectory
        .appending(path: "strongroom-counter-\(UUID().uuidString)")
    private let id = (0..<32).map { _ in UInt8.random(in: .min ... .max) }

    private func store(reserved: UInt64?) throws -> SQLiteMetadataStore {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let store = try SQLiteMetadataStore(path: directory.appending(path: "counter.sqlite").path)
        if let reserved { try store.commit([.reserveMessages(materialID: id, total: reserved)]) }
        return store
    }

    private func counter(_ store: SQLiteMetadataStore) throws -> MessageCounter {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return MessageCounter(metadata: try Metadata(store, logger: logger), logger: logger)
    }

    @Test func `Messages are reserved before they are counted, once for many`() async throws {
        let store = try store(reserved: nil)
        let counter = try counter(store)
        for _ in 0..<100 { try await counter.count(id, keyARN: "ARN") }
        #expect(try store.load().messageReservations[id] == MessageCounter.reservation)
    }

    @Test func `What an earlier process reserved counts as used`() async throws {
        let store = try store(reserved: 5 * MessageCounter.reservation)
        try await counter(store).count(id, keyARN: "ARN")
        #expect(try store.load().messageReservations[id] == 6 * MessageCounter.reservation)
    }

    @Test func `Callers at the same time share one reservation`() async throws {
        let store = try store(reserved: nil)
        let counter = try counter(store)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 { group.addTask { [id] in try? await counter.count(id, keyARN: "ARN") } }
        }
        #expect(try store.load().messageReservations[id] == MessageCounter.reservation)
    }

    // NIST SP 800-38D §8.3.
    @Test func `After 2^32 messages a key encrypts no more`() async throws {
        let store = try store(reserved: MessageCounter.limit)
        let counter = try counter(store)
        await #expect { try await counter.count(id, keyARN: "ARN") } throws: {
            ($0 as? KMSError)?.code == .limitExceeded
        }
        #expect(try store.load().messageReservations[id] == MessageCounter.limit)
    }
}
