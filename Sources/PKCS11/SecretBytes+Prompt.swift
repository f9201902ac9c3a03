internal import Glibc
public import SecureMemory

extension SecretBytes {
    /// Asks for a PIN on the terminal of this process, without showing it.
    public static func pin(prompt: String) throws(PINUnreadable) -> SecretBytes {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw PINUnreadable(reason: "there is no terminal to ask for the PIN")
        }
        defer { _ = close(terminal) }
        var before = termios()
        guard unsafe tcgetattr(terminal, &before) == 0 else {
            throw PINUnreadable(reason: "the terminal does not let itself be asked for the PIN")
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        silent.c_lflag |= tcflag_t(ECHONL | ICANON)
        // TCSAFLUSH: what was typed before the question is not the answer to it.
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            throw PINUnreadable(reason: "the terminal does not stop showing what is typed")
        }
        defer { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &before) }
        let question = Array(prompt.utf8)
        _ = unsafe question.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, $0.count) }
        let pin = SecretBytes(capacity: 1024) { output in
            var byte: UInt8 = 0
            defer { byte = 0 }
            while output.freeCapacity > 0, unsafe read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
                output.append(byte)
            }
        }
        guard pin.count > 0 else { throw PINUnreadable(reason: "no PIN was typed") }
        return pin
    }
}
