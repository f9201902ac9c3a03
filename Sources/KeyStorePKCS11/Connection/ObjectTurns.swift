internal import Synchronization

/// Keeps work that makes objects on a token and work that searches for them apart; of one kind, as many go on as come.
///
/// A search looks at every object. SoftHSM 2.6.1 reads the file of an object for that even while another thread of the
/// same process writes it (its lock on the file is the process's), takes what it finds for broken, and then the making
/// ends with CKR_GENERAL_ERROR and leaves an object without label and CKA_ID, which nobody can tell from a stranger's.
///
/// A turn is a courtesy, never a lock: a wait ends after a while, as a call may hang or make RSA keys for seconds.
package final class ObjectTurns: Sendable {
    package enum Kind: Sendable { case making, searching }

    private struct State {
        var kind = Kind.making
        /// Those at work, with those who went ahead out of turn.
        var count = 0
        var waiting: [(kind: Kind, answer: PendingAnswer<Void>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Returns when it is the turn of `kind`; each return is followed by one call of `end`.
    ///
    /// - Parameter setAlarm: sees to it that its closure is called once when the wait has been long enough.
    package func begin(_ kind: Kind, setAlarm: (@escaping @Sendable () -> Void) -> Void) async {
        await withCheckedContinuation { continuation in
            let answer = PendingAnswer<Void>(continuation)
            let isTurn = state.withLock { state in
                guard state.waiting.isEmpty, state.count == 0 || state.kind == kind else {
                    state.waiting.append((kind, answer))
                    return false
                }
                state.kind = kind
                state.count += 1
                return true
            }
            if isTurn { answer.settle(()) } else { setAlarm { [self] in goAhead(answer) } }
        }
    }

    package func end() {
        let admitted = state.withLock { state in
            state.count -= 1
            var admitted: [PendingAnswer<Void>] = []
            while let next = state.waiting.first, state.count == 0 || next.kind == state.kind {
                state.kind = next.kind
                state.count += 1
                admitted.append(state.waiting.removeFirst().answer)
            }
            return admitted
        }
        for answer in admitted { answer.settle(()) }
    }

    /// Out of turn, if it still waits.
    private func goAhead(_ answer: PendingAnswer<Void>) {
        let wasWaiting = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.answer === answer }) else { return false }
            state.waiting.remove(at: index)
            state.count += 1
            return true
        }
        if wasWaiting { answer.settle(()) }
    }
}
