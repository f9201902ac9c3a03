/// Why a step of a key ceremony was not done: one sentence for people, without a secret in it.
public struct CeremonyError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
