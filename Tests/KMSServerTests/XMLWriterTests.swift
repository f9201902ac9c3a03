import KMSModel
import KMSServer
import SecureMemory
import Testing

struct XMLWriterTests {
    private func document(_ text: Text) -> String {
        var writer = XMLWriter()
        writer.element("A", text)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("plain", "plain"), ("", ""), ("a&b", "a&amp;b"), ("<b>", "&lt;b&gt;"), ("]]>", "]]&gt;"),
            ("\"'", "&quot;&apos;"), ("&amp;", "&amp;amp;"), ("a\tb\nc", "a\tb\nc"), ("a\r\nb", "a&#xD;\nb"),
            ("\u{0}\u{1}\u{b}\u{1f}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"), ("\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}"),
            ("é🔑\u{7f}\u{85}", "é🔑\u{7f}\u{85}"), ("e\u{301}", "e\u{301}"),
        ] as [(Text, Text)])
    func `A text is escaped`(text: Text, escaped: Text) {
        #expect(Text(document(text)) == "<A>\(escaped)</A>")
    }

    @Test func `Elements nest, and the namespace stands where it is given`() {
        var writer = XMLWriter()
        writer.element("A", namespace: "https://example.com/") { writer in
            writer.element("B") { $0.element("C", "c") }
            writer.element("D", SecretBytes(copying: Array("secret".utf8).span))
        }
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == #"<A xmlns="https://example.com/"><B><C>c</C></B><D>secret</D></A>"#)
    }
}
