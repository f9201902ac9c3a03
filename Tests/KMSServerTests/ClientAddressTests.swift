import KMSModel
import KMSServer
import Testing

struct ClientAddressTests {
    @Test(
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"),
            ("::1", "::1"), ("::ffff:c000:201", "::ffff:c000:201"), ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1"),
        ] as [(String, Text)])
    func `An IPv4 client has an IPv4 address, however it was accepted`(address: String, text: Text) {
        #expect(ClientAddress.text(address) == text)
    }
}
