internal import NIOCore
internal import Synchronization

/// The connections that are open, so that a shutdown can end them.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isEnding = false
    }

    private let state = Mutex(State())

    /// Called before the connection reads anything. One that was accepted while the listener closed is closed again.
    func add(_ channel: any Channel) {
        let isAccepted = state.withLock { state in
            if state.isEnding { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isAccepted else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    /// Closes idle connections at once and the others after their answers; returns when all are closed.
    func end() async {
        for channel in stopAdding() {
            // HTTPServerPipelineHandler knows which connections are idle.
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        for channel in state.withLock({ Array($0.channels.values) }) {
            // The future of a close does not fail.
            try? await channel.closeFuture.get()
        }
    }

    /// Closes all connections, answered or not.
    func closeAll() {
        for channel in stopAdding() { channel.close(promise: nil) }
    }

    private func stopAdding() -> [any Channel] {
        state.withLock { state in
            state.isEnding = true
            return Array(state.channels.values)
        }
    }
}
