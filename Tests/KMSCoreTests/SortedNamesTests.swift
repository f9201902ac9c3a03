import KMSCore
import KMSModel
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

    @Test(arguments: ["", "x", "djE6", "!!!", "djI6YQ=="])
    func `Only markers of ours are markers`(text: String) {
        if text == "djE6" {
            #expect((try? Marker.decode(Text(text))) == "")
        } else {
            #expect { try Marker.decode(Text(text)) } throws: { ($0 as? KMSError)?.code == .invalidMarker }
        }
    }

    @Test func `A marker reads back`() throws {
        #expect(try Marker.decode(Marker.encode("alias/\u{e9}")) == "alias/\u{e9}")
        #expect(try Marker.decode(nil) == nil)
    }

    @Test func `A page says whether it is the last one`() {
        let items = Array(0..<10)[...]
        #expect(Page(items, limit: nil, default: 10, maximum: 50).isLast)
        #expect(Page(items, limit: 9, default: 50, maximum: 50).items.count == 9)
        #expect(!Page(items, limit: 9, default: 50, maximum: 50).isLast)
        #expect(Page(items, limit: 1000, default: 5, maximum: 7).items.count == 7)
    }
}
