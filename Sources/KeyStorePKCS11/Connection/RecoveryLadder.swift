/// What to do next about a token that is not well: try a new session, then a new login, then a restart of the module;
/// after a climb that led nowhere rest, longer each time, and climb again, for ever.
///
/// Decides without a clock and without the token: the keeper does what it says and tells how it went.
package struct RecoveryLadder: Sendable {
    /// From the one that disturbs least.
    package enum Rung: Int, CaseIterable, Sendable {
        case session
        case login
        case moduleRestart
    }

    package enum Outcome: Hashable, Sendable {
        case well
        case notWell
        /// The token refuses the PIN, which is not tried again.
        case pinRefused
    }

    package enum Step: Hashable, Sendable {
        case climb(Rung)
        case rest(milliseconds: Int)
        case recovered(by: Rung)
        /// Rest until there is another PIN: `resume`.
        case giveUp
    }

    /// However long a token has been away, it is asked again so soon after its return. The new login comes on top: its
    /// sweep takes most of a second for some thousand objects.
    static let longestRestMilliseconds = 500

    private let firstRestMilliseconds: Int
    private var restMilliseconds: Int
    private var rung = Rung.session
    package private(set) var hasGivenUp = false

    package init(firstRestMilliseconds: Int) {
        self.firstRestMilliseconds = firstRestMilliseconds
        restMilliseconds = firstRestMilliseconds
    }

    /// The first rung, after a rest.
    package mutating func climb() -> Step {
        guard !hasGivenUp else { return .giveUp }
        rung = .session
        return .climb(rung)
    }

    /// The next step, from how the rung went that was climbed last.
    package mutating func next(
        after outcome: Outcome, _ generator: inout some RandomNumberGenerator
    ) -> Step {
        switch outcome {
        case .well:
            restMilliseconds = firstRestMilliseconds
            return .recovered(by: rung)
        case .pinRefused:
            hasGivenUp = true
            return .giveUp
        case .notWell:
            guard let higher = Rung(rawValue: rung.rawValue + 1) else { return rest(&generator) }
            rung = higher
            return .climb(higher)
        }
    }

    /// The rest before a climb. Several servers that lost one token do not all come back to it at once: half of the
    /// time is drawn by lot.
    package mutating func rest(_ generator: inout some RandomNumberGenerator) -> Step {
        let longest = restMilliseconds
        restMilliseconds = max(firstRestMilliseconds, min(longest * 2, Self.longestRestMilliseconds))
        return .rest(milliseconds: Int.random(in: (longest + 1) / 2...longest, using: &generator))
    }

    /// There is another PIN.
    package mutating func resume() {
        hasGivenUp = false
        restMilliseconds = firstRestMilliseconds
    }
}
