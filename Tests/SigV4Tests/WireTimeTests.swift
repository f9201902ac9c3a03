import SigV4
import Testing

struct WireTimeTests {
    // The first is the example of RFC 9110 §5.6.7.
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
    ])
    func `A date reads as RFC 9110 writes it`(seconds: Int64, text: String) {
        #expect(WireTime.imfFixdate(seconds) == text)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_440_938_160, "2015-08-30T12:36:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (.max, "9999-12-31T23:59:59Z"),
    ])
    func `A time reads as ISO 8601 writes it`(seconds: Int64, text: String) {
        #expect(WireTime.iso8601(seconds) == text)
    }
}
