import Foundation
import KMSCore
import KMSModel
import SecureMemory
import Testing

struct SortedNamesTests {
    @Test func `Names stay sorted and unique`() {
        var names = SortedNames()
        for name in ["c", "a", "b", "a", "d"] { names.insert(name) }
        #expect(names.all == ["a", "b", "c", "d"])
        names.remove("b")
        names.remove("x")
        #expect(names.all == ["a", "c", "d"])
    }

    @Test func `A listing goes on after a name that is gone`() {
        var names = SortedNames()
        for name in ["a", "c", "d"] { names.insert(name) }
        #expect(Array(names.after("b")) == ["c", "d"])
        #expect(Array(names.after("c")) == ["d"])
        #expect(Array(names.after("z")) == [])
        #expect(Array(names.after(nil)) == ["a", "c", "d"])
    }

    @Test func `Only the markers of a listing are markers of it`() throws {
        let secret = SecretBytes(copying: [UInt8](0..<32).span)
        let scope = Scope(accountID: "111122223333", region: "eu-central-1")
        let marker = Marker(secret: secret, of: .listAliases, scope)
        let text = try marker.encode("alias/\u{e9}")
        #expect(try marker.decode(text) == "alias/\u{e9}")
        #expect(try marker.decode(nil) == nil)
        #expect(try marker.decode(marker.encode("")) == "")

        let strangers = [
            Marker(secret: secret, of: .listKeys, scope),
            Marker(secret: secret, of: .listAliases, Scope(accountID: "444455556666", region: "eu-central-1")),
            Marker(secret: secret, of: .listAliases, Scope(accountID: "111122223333", region: "eu-west-1")),
            Marker(secret: SecretBytes(copying: [UInt8](1..<33).span), of: .listAliases, scope),
        ]
        for stranger in strangers {
            #expect { try stranger.decode(text) } throws: { ($0 as? KMSError)?.code == .invalidMarker }
        }
        var changed = try #require(Data(base64Encoded: text.string))
        for index in changed.indices {
            changed[index] ^= 1
            #expect { try marker.decode(Text(changed.base64EncodedString())) } throws: {
                ($0 as? KMSError)?.code == .invalidMarker
            }
            changed[index] ^= 1
        }
        for text in ["", "x", "!!!", "djI6YQ=="] {
            #expect { try marker.decode(Text(text)) } throws: { ($0 as? KMSError)?.code == .invalidMarker }
        }
    }

    @Test func `A page says whether it is the last one`() {
        let items = Array(0..<10)[...]
        #expect(Page(items, limit: nil, default: 10, maximum: 50).isLast)
        #expect(Page(items, limit: 9, default: 50, maximum: 50).items.count == 9)
        #expect(!Page(items, limit: 9, default: 50, maximum: 50).isLast)
        #expect(Page(items, limit: 1000, default: 5, maximum: 7).items.count == 7)
    }
}
