import KMSCore
import Testing

struct ClockTrustTests {
    private let hour = 3600.0

    @Test func `Steady clocks are trusted at once`() {
        var trust = ClockTrust(wall: 1000, monotonic: 5, lastSeen: 990)
        trust.observe(wall: 1030, monotonic: 35)
        #expect(trust.isTrusted)
        trust.observe(wall: 1060.4, monotonic: 65)
        #expect(trust.isTrusted)
    }

    @Test func `The first start of an installation trusts its clock`() {
        var trust = ClockTrust(wall: 1000, monotonic: 5, lastSeen: nil)
        trust.observe(wall: 1001, monotonic: 6)
        #expect(trust.isTrusted)
    }

    @Test(arguments: [86_400.0, -86_400.0, 400 * 86_400.0])
    func `After a jump nothing is destroyed until both clocks agreed for an hour`(jump: Double) {
        var trust = ClockTrust(wall: 1_000_000, monotonic: 5, lastSeen: 1_000_000)
        trust.observe(wall: 1_000_030, monotonic: 35)
        #expect(trust.isTrusted)
        trust.observe(wall: 1_000_060 + jump, monotonic: 65)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_060 + jump + hour - 1, monotonic: 65 + hour - 1)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_060 + jump + hour, monotonic: 65 + hour)
        #expect(trust.isTrusted)
    }

    @Test func `A jump back starts the wait again`() {
        var trust = ClockTrust(wall: 1_000_000, monotonic: 0, lastSeen: nil)
        trust.observe(wall: 2_000_000, monotonic: 10)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_020, monotonic: 20)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_010 + hour, monotonic: 10 + hour)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_020 + hour, monotonic: 20 + hour)
        #expect(trust.isTrusted)
    }

    @Test(arguments: [1_000_000 - 7200.0, 1_000_000 + 7200.0])
    func `A clock that jumped while the server was down is not trusted`(lastSeen: Double) {
        var trust = ClockTrust(wall: 1_000_000, monotonic: 5, lastSeen: lastSeen)
        trust.observe(wall: 1_000_010, monotonic: 15)
        #expect(!trust.isTrusted)
        trust.observe(wall: 1_000_000 + hour, monotonic: 5 + hour)
        #expect(trust.isTrusted)
    }
}
