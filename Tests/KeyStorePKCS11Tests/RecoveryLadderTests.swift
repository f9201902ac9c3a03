import KeyStorePKCS11
import Testing

/// The recovery of a token as a sequence of decisions, without a token and without a clock.
struct RecoveryLadderTests {
    /// Draws the longest rest each time.
    private struct Longest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    /// Draws the shortest rest each time. Not 0, which a fair draw may reject for ever.
    private struct Shortest: RandomNumberGenerator {
        mutating func next() -> UInt64 { 1 << 40 }
    }

    private var generator = Longest()
    private var ladder = RecoveryLadder(firstRestMilliseconds: 100)

    /// The steps of one climb, each rung going as `outcomes` says.
    private mutating func climb(_ outcomes: RecoveryLadder.Outcome...) -> [RecoveryLadder.Step] {
        var steps = [ladder.climb()]
        for outcome in outcomes { steps.append(ladder.next(after: outcome, &generator)) }
        return steps
    }

    @Test mutating func `A new session comes first, then a new login, then a restart of the module, then a rest`() {
        #expect(
            climb(.notWell, .notWell, .notWell) == [
                .climb(.session), .climb(.login), .climb(.moduleRestart), .rest(milliseconds: 100),
            ])
    }

    @Test(arguments: RecoveryLadder.Rung.allCases)
    func `A climb ends where the token is well`(rung: RecoveryLadder.Rung) {
        var ladder = RecoveryLadder(firstRestMilliseconds: 100)
        var generator = Longest()
        var step = ladder.climb()
        for lower in RecoveryLadder.Rung.allCases where lower.rawValue < rung.rawValue {
            #expect(step == .climb(lower))
            step = ladder.next(after: .notWell, &generator)
        }
        #expect(step == .climb(rung))
        #expect(ladder.next(after: .well, &generator) == .recovered(by: rung))
        // The next illness begins at the foot again.
        #expect(ladder.climb() == .climb(.session))
    }

    @Test mutating func `Each rest is twice as long as the last, up to half a second, for ever`() {
        var rests: [Int] = []
        for _ in 0..<8 {
            guard case .rest(let milliseconds)? = climb(.notWell, .notWell, .notWell).last else { continue }
            rests.append(milliseconds)
        }
        #expect(rests == [100, 200, 400, 500, 500, 500, 500, 500])
    }

    @Test mutating func `After a recovery the rests are short again`() {
        for _ in 0..<5 { _ = climb(.notWell, .notWell, .notWell) }
        #expect(climb(.notWell, .well).last == .recovered(by: .login))
        #expect(climb(.notWell, .notWell, .notWell).last == .rest(milliseconds: 100))
    }

    @Test func `Half of a rest is drawn by lot`() {
        var (shortest, longest, lot) = (Shortest(), Longest(), SystemRandomNumberGenerator())
        var ladder = RecoveryLadder(firstRestMilliseconds: 1)
        #expect(ladder.rest(&shortest) == .rest(milliseconds: 1))
        ladder = RecoveryLadder(firstRestMilliseconds: 400)
        #expect(ladder.rest(&shortest) == .rest(milliseconds: 200))
        #expect(ladder.rest(&longest) == .rest(milliseconds: 500))
        // A longer one is somebody's wish.
        ladder = RecoveryLadder(firstRestMilliseconds: 5000)
        for _ in 0..<2 { #expect(ladder.rest(&longest) == .rest(milliseconds: 5000)) }
        var rests: Set<RecoveryLadder.Step> = []
        for _ in 0..<50 {
            var ladder = RecoveryLadder(firstRestMilliseconds: 1000)
            rests.insert(ladder.rest(&lot))
        }
        #expect(rests.count > 1)
    }

    @Test mutating func `A refused PIN ends the climb at once, and no rung is climbed before there is another`() {
        #expect(climb(.notWell, .pinRefused) == [.climb(.session), .climb(.login), .giveUp])
        for _ in 0..<3 { #expect(ladder.climb() == .giveUp) }
        #expect(ladder.hasGivenUp)
        ladder.resume()
        #expect(climb(.notWell, .well) == [.climb(.session), .climb(.login), .recovered(by: .login)])
    }
}
