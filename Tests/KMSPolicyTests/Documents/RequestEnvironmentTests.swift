import KMSModel
import KMSPolicy
import Testing

@Suite struct RequestEnvironmentTests {
    private func values(
        _ key: KnownConditionKey, at seconds: Double = 0, _ change: (inout RequestEnvironment) -> Void = { _ in }
    ) -> ConditionValues? {
        var environment = RequestEnvironment(
            region: "eu-central-1", time: Timestamp(secondsSinceEpoch: seconds), sourceIP: "2001:db8::1",
            userAgent: "aws-cli/2", referer: "x")
        change(&environment)
        return environment.values(of: .known(key))
    }

    @Test func `What belongs to the request is answered`() {
        #expect(values(.requestedRegion) == .single("eu-central-1"))
        #expect(values(.sourceIP) == .single("2001:db8::1"))
        #expect(values(.userAgent) == .single("aws-cli/2"))
        #expect(values(.referer) == .single("x"))
        #expect(values(.secureTransport) == .single("false"))
        #expect(values(.epochTime, at: 1_767_323_045.75) == .single("1767323045"))
    }

    @Test(arguments: [KnownConditionKey.sourceIP, .userAgent, .referer])
    func `What the request has not is absent`(_ key: KnownConditionKey) {
        let environment = RequestEnvironment(region: "eu-central-1", time: Timestamp(secondsSinceEpoch: 0))
        #expect(environment.values(of: .known(key)) == nil)
    }

    @Test func `A request through a service says so`() {
        func viaS3(_ key: KnownConditionKey) -> ConditionValues? { values(key) { $0.viaService = "s3" } }
        #expect(viaS3(.viaService) == .single("s3.eu-central-1.amazonaws.com"))
        #expect(viaS3(.viaAWSService) == .single("true"))
        #expect(viaS3(.calledVia) == .single("s3.amazonaws.com"))
        #expect(viaS3(.calledViaFirst) == .single("s3.amazonaws.com"))
        #expect(viaS3(.calledViaLast) == .single("s3.amazonaws.com"))
        #expect(values(.viaService) == nil)
        #expect(values(.viaAWSService) == .single("false"))
        #expect(values(.calledVia) == nil)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (-0.5, "1969-12-31T23:59:59Z"), (1_767_323_045.75, "2026-01-02T03:04:05Z"),
        (951_782_400, "2000-02-29T00:00:00Z"), (951_868_799.999, "2000-02-29T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"), (1_735_689_599, "2024-12-31T23:59:59Z"),
        (-62_167_219_200, "0000-01-01T00:00:00Z"), (-62_162_035_200, "0000-03-01T00:00:00Z"),
        (-62_162_035_201, "0000-02-29T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
    func `The time is written as ISO 8601 says, whatever the year`(_ seconds: Double, _ text: String) {
        #expect(values(.currentTime, at: seconds) == .single(Text(text)))
    }

    @Test func `Every day of some centuries follows the one before`() {
        // Day numbers of a year, counted by the rule of leap years and not by the arithmetic under test.
        var day = 0
        for year in 1970..<2405 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for date in [1, length] {
                    let seconds = Double(day + date - 1) * 86_400 + 43_200
                    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
                    #expect(
                        values(.currentTime, at: seconds)
                            == .single(Text("\(year)-\(two(month + 1))-\(two(date))T12:00:00Z")))
                }
                day += length
            }
        }
    }

    @Test(arguments: KnownConditionKey.allCases)
    func `No key is answered for that speaks of principal or parameters`(_ key: KnownConditionKey) {
        let ofRequests: Set<KnownConditionKey> = [
            .requestedRegion, .currentTime, .epochTime, .sourceIP, .userAgent, .referer, .secureTransport,
            .viaService, .viaAWSService, .calledVia, .calledViaFirst, .calledViaLast,
        ]
        #expect((values(key) { $0.viaService = "s3" } != nil) == ofRequests.contains(key))
    }
}
