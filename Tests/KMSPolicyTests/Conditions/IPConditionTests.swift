import KMSModel
import KMSPolicy
import Testing

@Suite struct IPConditionTests {
    @Test(
        arguments: [
            ("203.0.113.0/24", "203.0.113.0", true), ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.112.255", false), ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7/24", "203.0.113.200", true), ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false), ("203.0.113.7/32", "203.0.113.7", true),
            ("203.0.113.6/31", "203.0.113.7", true), ("0.0.0.0/0", "255.255.255.255", true),
            ("128.0.0.0/1", "127.255.255.255", false), ("0.0.0.0/0", "::1", false), ("::/0", "10.0.0.1", false),
            ("::/0", "::1", true), ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1", true),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5679::", false), ("2001:db8::1", "2001:0db8:0:0:0:0:0:1", true),
            ("2001:db8::1/128", "2001:db8::2", false), ("::1/127", "::", true), ("8000::/1", "7fff::", false),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", true), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", true),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201", true),
            // RFC 4291 §2.5.5.2: an IPv4 address that came through a socket of both families.
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("10.0.0.0/8", "::ffff:a01:203", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:10.1.2.3", "10.1.2.3", true), ("::ffff:0:0/96", "192.0.2.1", true),
            ("::/0", "::ffff:10.1.2.3", false),
        ] as [(Text, Text, Bool)])
    func `A network has the addresses with its prefix`(network: Text, address: Text, contains: Bool) throws {
        let request: KeyValuePairs<String, [Text]> = ["aws:SourceIp": [address]]
        #expect(try evaluate("IpAddress", "aws:SourceIp", [network], request) == (contains ? .yes : .no))
        #expect(try evaluate("NotIpAddress", "aws:SourceIp", [network], request) == (contains ? .no : .yes))
    }

    @Test func `One of several networks suffices, and none may have it for the negation`() throws {
        let networks: [Text] = ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]
        #expect(
            try evaluate("IpAddress", "aws:SourceIp", networks, ["aws:SourceIp": ["2001:db8:1234:5678::9"]]) == .yes)
        #expect(try evaluate("NotIpAddress", "aws:SourceIp", networks, ["aws:SourceIp": ["203.0.113.1"]]) == .no)
        #expect(try evaluate("NotIpAddress", "aws:SourceIp", networks, ["aws:SourceIp": ["10.0.0.1"]]) == .yes)
    }

    @Test(
        arguments: [
            "", "/", "10", "10.0.0", "10.0.0.0.0", "10.0.0.256", "10.0.0.", ".10.0.0", "010.0.0.1", "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.0 /8", "1.2.3.4444444444",
            "10.*", "localhost", ":", ":::", "1", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
            "1::2:3:4:5:6:7:8", "12345::", "g::", "::/129", "::/9999999999999999999999", "::1%eth0", "::1.2.3",
            "::1.2.3.4:5",
            "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "::ffff:1.2.3.4/129",
        ] as [Text])
    func `What is no address and no network is refused`(value: Text) {
        #expect(refusal("IpAddress", "aws:SourceIp", [value]) != nil)
    }

    @Test(arguments: ["10.0.0.0/8", "10.0.0.1:443", "unix", ""] as [Text])
    func `A source that is no address is unknown`(value: Text) throws {
        #expect(try evaluate("IpAddress", "aws:SourceIp", ["10.0.0.0/8"], ["aws:SourceIp": [value]]) == .unknown)
    }
}
