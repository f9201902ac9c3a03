import KMSModel
import Testing

@Suite struct JSONTreeTests {
    private func refusal(_ text: Text) -> JSONTreeError? {
        do {
            _ = try JSONTree(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `Every kind of value is read, members in their order`() throws {
        let tree = try JSONTree(parsing: #" {"b":[1.50e3,-0,true,false,null,"x"],"a":{},"":[]} "#)
        let values: [JSONTree] = [
            .number("1.50e3"), .number("-0"), .boolean(true), .boolean(false), .null, .string("x"),
        ]
        #expect(
            tree
                == .object([
                    JSONTree.Member(name: "b", value: .array(values)), JSONTree.Member(name: "a", value: .object([])),
                    JSONTree.Member(name: "", value: .array([])),
                ]))
    }

    @Test func `Escapes are resolved in names and values`() throws {
        let tree = try JSONTree(parsing: #"{"\u0041":"\ud83d\udd11\u0000\n\/"}"#)
        #expect(tree == .object([JSONTree.Member(name: "A", value: .string("\u{1F511}\u{0}\n/"))]))
    }

    @Test func `Texts that Unicode holds for equal are different members`() throws {
        let tree = try JSONTree(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        guard case .object(let members) = tree else { return #expect(Bool(false)) }
        #expect(members.count == 2)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{1:2}", "'a'", "01",
        "1.", "-", "+1", ".5", "1e", "tru", "nul", "truE", "\"", "\"\\", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"",
        "\"\\ud800\\u0041\"", "\"\\x\"", "\"\u{1}\"", "\"\u{0}\"", "{} {}", "1 2", "\u{FEFF}{}", "{}\u{0}", "// x\n1",
        "\u{A0}1", "NaN", "{\"a\":1 \"b\":2}", "[1 2]",
    ])
    func `What is not JSON is refused`(_ text: String) {
        #expect(refusal(Text(text)) != nil)
    }

    @Test func `A refusal says where reading stopped`() {
        #expect(refusal(#"{"a":1,"b":[1,x]}"#)?.byte == 14)
        #expect(refusal(#"{"a":1,"b":[1,x]}"#)?.description == "expected a value at byte 14")
        #expect(refusal(#"{"a" [1]}"#)?.description == "Start of list found where not expected. (at byte 5)")
    }

    @Test(arguments: [
        #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":1}"#, #"[[{"x":{"a":1,"b":2,"a":3}}]]"#, #"{"":1,"":2}"#,
    ])
    func `A duplicate member is refused at every level`(_ text: String) throws {
        #expect(try #require(refusal(Text(text))).description.contains("duplicate member at byte"))
    }

    @Test func `Nesting ends at the depth of the reader`() {
        func nested(_ depth: Int) -> Text {
            Text(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        }
        #expect(refusal(nested(JSONReader.maximumDepth)) == nil)
        #expect(refusal(nested(JSONReader.maximumDepth + 1)) != nil)
        #expect(refusal(nested(100_000)) != nil)
        #expect(refusal(Text(String(repeating: #"{"a":"#, count: 100_000))) != nil)
    }

    @Test func `Bytes that are not UTF-8 are refused`() {
        let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
        #expect(throws: JSONTreeError.self) { try JSONTree(parsing: bytes.span) }
    }
}
