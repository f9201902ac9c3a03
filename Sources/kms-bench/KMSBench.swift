import ArgumentParser

/// Measures a running server against what its parts cost by themselves. See docs/benchmarks.md.
@main
struct KMSBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kms-bench",
        abstract: "Loads a Strongroom server and compares its cost per request with two floors.",
        subcommands: [Measure.self, ManyKeys.self, EchoServer.self, TokenFloor.self],
        defaultSubcommand: Measure.self
    )
}

/// What a benchmark cannot go on without.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
