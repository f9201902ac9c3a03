import Cryptography
import SecureMemory
import Testing

@Suite struct BoundedCacheTests {
    @Test func `The cache never holds more than its limit`() {
        let cache = BoundedCache<Int, Int>(limit: 8)
        for number in 0..<1_000 {
            cache.insert(number, for: number, ifStill: cache.generation)
            #expect(cache.count <= 8)
        }
        #expect(cache.count == 8)
        #expect(cache.value(for: 999) == 999)
        #expect(cache.value(for: 0) == nil)
    }

    @Test func `A value in use stays while others pass through`() {
        let cache = BoundedCache<Int, Int>(limit: 4)
        cache.insert(-1, for: -1, ifStill: cache.generation)
        for number in 0..<100 {
            #expect(cache.value(for: -1) == -1, "gone before \(number)")
            cache.insert(number, for: number, ifStill: cache.generation)
        }
    }

    @Test func `Inserting again replaces the value`() {
        let cache = BoundedCache<Int, String>(limit: 4)
        cache.insert("old", for: 1, ifStill: cache.generation)
        cache.insert("new", for: 1, ifStill: cache.generation)
        #expect(cache.value(for: 1) == "new")
        #expect(cache.count == 1)
    }

    @Test func `A removed place is used again`() {
        let cache = BoundedCache<Int, Int>(limit: 3)
        for number in 0..<3 { cache.insert(number, for: number, ifStill: cache.generation) }
        cache.remove(1)
        #expect(cache.value(for: 1) == nil)
        #expect(cache.count == 2)
        cache.insert(7, for: 7, ifStill: cache.generation)
        #expect(cache.value(for: 0) == 0)
        #expect(cache.value(for: 2) == 2)
        #expect(cache.value(for: 7) == 7)
        for number in 10..<100 { cache.insert(number, for: number, ifStill: cache.generation) }
        #expect(cache.count == 3)
    }

    @Test func `A value derived before a removal does not slip in after it`() {
        let cache = BoundedCache<Int, Int>(limit: 3)
        let before = cache.generation
        cache.removeAll()
        cache.insert(1, for: 1, ifStill: before)
        #expect(cache.value(for: 1) == nil)
        let afterAll = cache.generation
        cache.remove(2)
        cache.insert(1, for: 1, ifStill: afterAll)
        #expect(cache.count == 0)
    }

    @Test func `Evicted and removed values are released`() {
        let cache = BoundedCache<Int, SecretBytes>(limit: 2)
        func insert(_ number: Int) -> () -> SecretBytes? {
            let secret = SecretBytes(copying: [UInt8(number)].span)
            cache.insert(secret, for: number, ifStill: cache.generation)
            return { [weak secret] in secret }
        }
        let references = (0..<6).map(insert)
        #expect(references.map { $0() != nil } == [false, false, false, false, true, true])
        cache.remove(5)
        #expect(references[5]() == nil)
        cache.removeAll()
        #expect(references[4]() == nil)
    }

    @Test func `Many tasks may use it at once`() async {
        let cache = BoundedCache<Int, Int>(limit: 16)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<2_000 {
                        let key = (round &* 17 &+ task) % 64
                        if let value = cache.value(for: key) { #expect(value == key) }
                        cache.insert(key, for: key, ifStill: cache.generation)
                        if round % 97 == 0 { cache.remove(key) }
                    }
                }
            }
        }
        #expect(cache.count <= 16)
    }
}
